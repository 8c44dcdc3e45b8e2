"""Prints every named task as a check: one line of JSON with {"check", "error"}."""

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: checks
type: stdout
short_description: one line of JSON a task
description: Every named task is a check; tasks without a name only prepare one, and show where they fail.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "checks"

    def line(self, result, error):
        task = result.task
        if task.name or error:
            name = task.name or f"{task.action} without a name"
            self._display.display(json.dumps({"check": name, "error": error}))

    def v2_runner_on_ok(self, result):
        self.line(result, None)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        facts = result.result
        items = [item for item in facts.get("results", []) if item.get("failed")] or [facts]
        words = [json.dumps({key: item[key] for key in ("item", "msg", "assertion", "stderr") if key in item})
                 for item in items]
        self.line(result, "\n".join(words))

    def v2_runner_on_unreachable(self, result):
        self.line(result, str(result.result.get("msg")))

    def v2_runner_on_skipped(self, result):
        self.line(result, "skipped")

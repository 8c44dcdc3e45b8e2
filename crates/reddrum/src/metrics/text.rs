//! The text that Prometheus reads: version 0.0.4 of its own format, and OpenMetrics 1.0.
//!
//! Both have one group of lines a metric: what it means, its type, its samples. They differ in small things, which are all
//! here.

use std::fmt::Write as _;

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus text 0.0.4, which everything reads.
    Prometheus,
    /// OpenMetrics 1.0, for who asks for it.
    OpenMetrics,
}

impl Format {
    /// The one to answer with to a request with this `Accept`.
    pub(crate) fn of(accept: &str) -> Self {
        let wants = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("application/openmetrics-text"))
                && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        };
        if accept.split(',').any(wants) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// Its media type.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What kind of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows; its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// One metric: a name, and samples that differ in their labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Its name, without the `_total` of counters.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it means, in one line.
    pub(crate) help: &'static str,
}

/// A label and its value, which may be any text.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// Text being written.
#[derive(Debug)]
pub(crate) struct Text {
    format: Format,
    out: String,
}

impl Text {
    /// Nothing yet.
    pub(crate) const fn new(format: Format) -> Self {
        Self {
            format,
            out: String::new(),
        }
    }

    /// How many bytes were written since they were last taken.
    pub(crate) const fn len(&self) -> usize {
        self.out.len()
    }

    /// Takes what was written.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Begins a metric; all of its samples follow before the next begins.
    pub(crate) fn begin(&mut self, family: &Family) {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // OpenMetrics names the counter, Prometheus its samples.
        let suffix = match (family.kind, self.format) {
            (Kind::Counter, Format::Prometheus) => "_total",
            _ => "",
        };
        let name = family.name;
        self.push(format_args!("# HELP {name}{suffix} {}\n", family.help));
        self.push(format_args!("# TYPE {name}{suffix} {kind}\n"));
    }

    /// One sample of a counter or gauge. A value that is no number is left out: an absent sample says the same.
    pub(crate) fn sample(&mut self, family: &Family, labels: &[Label<'_>], value: f64) {
        if !value.is_finite() {
            return;
        }
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.line(family.name, suffix, labels, format_args!("{value}"));
    }

    /// One sample of a counter or gauge that is a whole number.
    pub(crate) fn count(&mut self, family: &Family, labels: &[Label<'_>], value: u64) {
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.line(family.name, suffix, labels, format_args!("{value}"));
    }

    /// A histogram without labels: for each bound how many did not exceed it, and how many there are with their sum.
    pub(crate) fn histogram(
        &mut self,
        family: &Family,
        buckets: impl Iterator<Item = (f64, u64)>,
        (count, sum): (u64, f64),
    ) {
        for (bound, below) in buckets {
            let bound = format!("{bound:?}");
            self.line(
                family.name,
                "_bucket",
                &[("le", &bound)],
                format_args!("{below}"),
            );
        }
        self.line(
            family.name,
            "_bucket",
            &[("le", "+Inf")],
            format_args!("{count}"),
        );
        self.line(family.name, "_count", &[], format_args!("{count}"));
        self.line(family.name, "_sum", &[], format_args!("{sum}"));
    }

    /// Writes what is no metric.
    pub(crate) fn say(&mut self, said: &str) {
        self.out.push_str(said);
    }

    /// Ends the text.
    pub(crate) fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
    }

    fn line(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &[Label<'_>],
        value: std::fmt::Arguments<'_>,
    ) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        for (i, (label, text)) in labels.iter().enumerate() {
            self.out.push(if i == 0 { '{' } else { ',' });
            self.out.push_str(label);
            self.out.push_str("=\"");
            escape(text, &mut self.out);
            self.out.push('"');
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        self.push(format_args!(" {value}\n"));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.out.write_fmt(text);
    }
}

/// A label's value as both formats write it. Machines choose some of these texts, so nothing in them may end a line or
/// a value.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            // Legal, but of no use in a label, and some readers split lines at them.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPERATURE: Family = Family {
        name: "t_celsius",
        kind: Kind::Gauge,
        help: "How warm.",
    };
    const COUNTER: Family = Family {
        name: "things",
        kind: Kind::Counter,
        help: "How many.",
    };

    #[test]
    fn no_text_of_a_machine_ends_its_label() {
        let mut text = Text::new(Format::Prometheus);
        let hostile = "a\\b\"} 1\nfake 2\r\u{85}\u{2028}x";
        text.sample(&TEMPERATURE, &[("node", hostile)], 1.5);
        let out = text.take();
        let expected = "t_celsius{node=\"a\\\\b\\\"} 1\\nfake 2\u{fffd}\u{fffd}\u{fffd}x\"} 1.5\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn what_is_no_number_is_absent() {
        let mut text = Text::new(Format::Prometheus);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            text.sample(&TEMPERATURE, &[], value);
        }
        assert_eq!(text.take(), "");
    }

    #[test]
    fn the_formats_differ_in_the_names_of_counters_and_in_their_end() {
        let write = |format| {
            let mut text = Text::new(format);
            text.begin(&COUNTER);
            text.count(&COUNTER, &[], u64::MAX);
            text.end();
            text.take()
        };
        assert_eq!(
            write(Format::Prometheus),
            "# HELP things_total How many.\n# TYPE things_total counter\nthings_total 18446744073709551615\n"
        );
        assert_eq!(
            write(Format::OpenMetrics),
            "# HELP things How many.\n# TYPE things counter\nthings_total 18446744073709551615\n# EOF\n"
        );
    }

    #[test]
    fn openmetrics_is_for_who_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(Format::of(prometheus), Format::OpenMetrics);
        for other in ["", "*/*", "text/plain", "application/openmetrics-text; q=0"] {
            assert_eq!(Format::of(other), Format::Prometheus, "{other}");
        }
    }
}

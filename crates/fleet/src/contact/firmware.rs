//! Which firmware a controller takes over the network (HPM.1).
//!
//! One command for a controller that knows no HPM.1; two more for each of at most eight components of one that does.

use std::sync::Arc;

use hardware::FirmwareComponent;
use ipmi::command::picmg::hpm::{
    ComponentProperties, FirmwareVersion, GetComponentProperties, GetTargetUpgradeCapabilities,
};
use ipmi::number::HpmProperty;
use ipmi::upgrade::COMPONENTS_MAX;

use super::optional;
use crate::call::CallError;
use crate::script::Line;

/// The components that can be upgraded; none where the controller knows no HPM.1.
pub(crate) async fn read(line: &Line) -> Result<Arc<[FirmwareComponent]>, CallError> {
    let Some(target) = optional(line.call(&GetTargetUpgradeCapabilities).await)? else {
        return Ok(Arc::default());
    };
    let mut components = Vec::new();
    for number in (0..COMPONENTS_MAX).filter(|number| target.components >> number & 1 == 1) {
        let name = property(line, number, HpmProperty::DESCRIPTION).await?;
        let version = property(line, number, HpmProperty::CURRENT_VERSION).await?;
        components.push(FirmwareComponent {
            number,
            name: name.and_then(|name| text(&name.data)),
            version: version
                .and_then(|version| FirmwareVersion::from_data(&version.data))
                .map(|version| version.to_string().into()),
        });
    }
    Ok(components.into())
}

async fn property(
    line: &Line,
    component: u8,
    property: HpmProperty,
) -> Result<Option<ComponentProperties>, CallError> {
    let get = GetComponentProperties {
        component,
        property,
    };
    optional(line.call(&get).await)
}

/// Text up to the first zero, in Latin-1, without what can't be printed.
fn text(data: &[u8]) -> Option<Arc<str>> {
    let characters = data.iter().take_while(|byte| **byte != 0);
    let text: String = characters
        .map(|byte| char::from(*byte))
        .filter(|character| !character.is_control())
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::script::{Script, play};

    fn read_played(answer: impl Fn(u8, &[u8]) -> play::Reply) -> (Vec<FirmwareComponent>, u32) {
        let mut calls = 0;
        let script = Script::new(|line| async move { read(&line).await });
        let found = play::run(script, |call| {
            calls += 1;
            answer(call.cmd, call.data())
        });
        (found.unwrap().to_vec(), calls)
    }

    #[test]
    fn a_controller_without_hpm_1_is_asked_once() {
        let refuse = |_: u8, _: &[u8]| Some((CompletionCode::INVALID_COMMAND, vec![]));
        assert_eq!(read_played(refuse), (vec![], 1));
    }

    #[test]
    fn components_have_the_names_and_versions_that_the_controller_gives() {
        let (found, calls) = read_played(|cmd, data| match (cmd, data) {
            (GetTargetUpgradeCapabilities::CMD, _) => {
                Some((CompletionCode::OK, vec![0, 0, 0, 1, 1, 1, 1, 0b101]))
            }
            (_, [_, 0, 2]) => Some((CompletionCode::OK, b"\0Boot \0\0\0".to_vec())),
            (_, [_, 0, 1]) => Some((CompletionCode::OK, vec![0, 1, 0x07, 0, 0, 0, 0])),
            _ => Some((CompletionCode(0x83), vec![0])),
        });
        let expected = [
            FirmwareComponent {
                number: 0,
                name: Some("Boot".into()),
                version: Some("1.07".into()),
            },
            FirmwareComponent {
                number: 2,
                ..FirmwareComponent::default()
            },
        ];
        assert_eq!((found.as_slice(), calls), (expected.as_slice(), 5));
    }
}

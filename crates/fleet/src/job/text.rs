//! Texts that a BMC with DCMI keeps for its owner: the asset tag and the controller's name (DCMI 1.5 §6.4).

use hardware::{ApplyError, OWNER_TEXT_LEN_MAX, check_owner_text};
use ipmi::command::Bytes;
use ipmi::command::dcmi::{
    DCMI_STRING_PART, GetAssetTag, GetControllerId, SetAssetTag, SetControllerId,
};
use ipmi::quirk::Quirk;

use super::{changing, preparing};
use crate::call::CallError;
use crate::script::Line;

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// The asset tag.
    AssetTag,
    /// The controller's identifier, by which it asks DHCP for an address and a name.
    ControllerName,
}

impl Text {
    const fn what(self) -> &'static str {
        match self {
            Self::AssetTag => "setting an asset tag over DCMI",
            Self::ControllerName => "setting the controller's name over DCMI",
        }
    }
}

/// Reads a text; `None` where it is empty.
pub(crate) async fn read(line: &Line, text: Text) -> Result<Option<String>, CallError> {
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let offset = bytes.len() as u8;
        let count = DCMI_STRING_PART as u8;
        let (length, part) = match text {
            Text::AssetTag => {
                let part = line.call(&GetAssetTag { offset, count }).await?;
                let expected = usize::from(part.length).saturating_sub(bytes.len());
                let is_short = part.data.len() < expected.min(DCMI_STRING_PART);
                if is_short && !part.data.is_empty() {
                    // What stands in place of the length is the first character.
                    line.note(Quirk::AssetTagLengthMissing);
                    bytes.push(part.length);
                    let more = part.data.len() + 1 == DCMI_STRING_PART;
                    (if more { u8::MAX } else { 0 }, part.data)
                } else {
                    (part.length, part.data)
                }
            }
            Text::ControllerName => {
                let part = line.call(&GetControllerId { offset, count }).await?;
                (part.length, part.data)
            }
        };
        bytes.extend_from_slice(part.as_slice());
        let end = match length {
            // Only the part tells that it is the last.
            0 => bytes.len(),
            length => usize::from(length),
        };
        let end = end.min(OWNER_TEXT_LEN_MAX);
        if bytes.len() >= end || part.as_slice().is_empty() {
            bytes.truncate(end);
            break;
        }
    }
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// Writes a text, part by part; each part cuts off what was behind it.
pub(super) async fn write(line: &Line, text: Text, new: &str) -> Result<(), ApplyError> {
    check_owner_text(new)?;
    // A BMC without DCMI is found out before anything is written.
    if let Err(error) = read(line, text).await {
        return Err(preparing(error, text.what()));
    }
    let mut bytes = new.as_bytes().to_vec();
    if text == Text::ControllerName {
        bytes.push(0);
    }
    // An empty tag is one part of no bytes.
    let parts = bytes
        .chunks(DCMI_STRING_PART)
        .chain(bytes.is_empty().then_some(&[][..]));
    for (index, part) in parts.enumerate() {
        let offset = (index * DCMI_STRING_PART) as u8;
        let count = part.len() as u8;
        let data = Bytes::new(part).unwrap_or(Bytes::EMPTY);
        let written = match text {
            Text::AssetTag => {
                line.call(&SetAssetTag {
                    offset,
                    count,
                    data,
                })
                .await
            }
            Text::ControllerName => {
                line.call(&SetControllerId {
                    offset,
                    count,
                    data,
                })
                .await
            }
        };
        written.map_err(|error| changing(error, text.what()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::script::{Script, play};

    /// A BMC that keeps both texts.
    #[derive(Default)]
    struct Kept(Vec<u8>);

    impl Kept {
        fn answer(&mut self, cmd: u8, data: &[u8]) -> play::Reply {
            let offset = usize::from(data[1]);
            let mut answer = vec![0xdc];
            if [GetAssetTag::CMD, GetControllerId::CMD].contains(&cmd) {
                let rest = self.0.get(offset..).unwrap_or_default();
                answer.push(self.0.len() as u8);
                answer.extend(&rest[..rest.len().min(usize::from(data[2]))]);
            } else {
                self.0.truncate(offset);
                self.0.extend(&data[3..]);
                answer.push(self.0.len() as u8);
            }
            Some((CompletionCode::OK, answer))
        }

        fn write(&mut self, text: Text, new: &'static str) -> Result<(), ApplyError> {
            let script = Script::new(move |line| async move { write(&line, text, new).await });
            play::run(script, |call| self.answer(call.cmd, call.data()))
        }

        fn read(&mut self, text: Text) -> Option<String> {
            let script = Script::new(move |line| async move { read(&line, text).await });
            play::run(script, |call| self.answer(call.cmd, call.data())).unwrap()
        }
    }

    #[test]
    fn texts_of_every_length_come_back_as_they_were_written() {
        let long = "a text of sixty-three bytes, which is the longest that there is";
        assert_eq!(long.len(), OWNER_TEXT_LEN_MAX);
        for text in [Text::AssetTag, Text::ControllerName] {
            let mut kept = Kept::default();
            for new in [long, "sixteen bytes ok", "seventeen bytes o", "short", ""] {
                assert_eq!(kept.write(text, new), Ok(()));
                let expected = Some(new.to_owned()).filter(|text| !text.is_empty());
                assert_eq!(kept.read(text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_not_even_begun() {
        let mut kept = Kept(b"old".to_vec());
        let long = "a text of sixty-four bytes, which is longer than the longest one";
        assert_eq!(long.len(), 64);
        for new in [long, "two\nlines"] {
            let refused = kept.write(Text::AssetTag, new);
            assert!(matches!(refused, Err(ApplyError::Unsupported { .. })));
        }
        assert_eq!(kept.read(Text::AssetTag).as_deref(), Some("old"));
    }

    #[test]
    fn a_bmc_without_dcmi_can_not_be_told() {
        let script = Script::new(|line| async move { write(&line, Text::AssetTag, "tag 7").await });
        let mut calls = 0;
        let refused = play::run(script, |_| {
            calls += 1;
            Some((CompletionCode::INVALID_COMMAND, vec![]))
        });
        assert!(matches!(refused, Err(ApplyError::Unsupported { .. })));
        assert_eq!(calls, 1);
    }
}

//! The answer about a DCMI power limit becomes a power limit.

use hardware::{LimitAction, PowerLimit};
use ipmi::command::dcmi::GetPowerLimit;
use ipmi::command::dcmi::power::NO_ACTIVE_LIMIT;
use ipmi::number::{CompletionCode, PowerExceptionAction};

use crate::call::decode;

/// The power limit that a BMC tells (DCMI 1.5 §6.6.2); `None` for one that knows none.
pub(crate) fn power_limit(completion: CompletionCode, data: &[u8]) -> Option<PowerLimit> {
    let (is_active, completion) = match completion {
        // The settings that would hold may follow, or nothing.
        NO_ACTIVE_LIMIT => (false, CompletionCode::OK),
        completion => (true, completion),
    };
    let settings = match decode::<GetPowerLimit>(completion, data) {
        Ok(limit) => limit.settings,
        Err(_) if !is_active => {
            return Some(PowerLimit {
                limit_w: None,
                action: LimitAction::None,
                correction_ms: 0,
            });
        }
        Err(_) => return None,
    };
    Some(PowerLimit {
        limit_w: is_active.then_some(settings.limit_w),
        action: match settings.action {
            PowerExceptionAction::NONE => LimitAction::None,
            PowerExceptionAction::POWER_OFF => LimitAction::PowerOff,
            PowerExceptionAction::LOG => LimitAction::Log,
            _ => LimitAction::Other,
        },
        correction_ms: settings.correction_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 500 W within 1,000 ms, else the log tells.
    const SETTINGS: [u8; 14] = [0xdc, 0, 0, 0x11, 0xf4, 1, 0xe8, 3, 0, 0, 0, 0, 5, 0];

    #[test]
    fn a_limit_counts_only_while_it_is_in_force() {
        let active = PowerLimit {
            limit_w: Some(500),
            action: LimitAction::Log,
            correction_ms: 1_000,
        };
        assert_eq!(power_limit(CompletionCode::OK, &SETTINGS), Some(active));
        let idle = PowerLimit {
            limit_w: None,
            ..active
        };
        assert_eq!(power_limit(NO_ACTIVE_LIMIT, &SETTINGS), Some(idle));
        let none = power_limit(NO_ACTIVE_LIMIT, &[]).map(|limit| limit.limit_w);
        assert_eq!(none, Some(None));
        for code in [CompletionCode::INVALID_COMMAND, CompletionCode(0xcc)] {
            assert_eq!(power_limit(code, &[]), None);
        }
    }
}

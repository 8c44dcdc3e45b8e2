//! Platform event filters: which events do what, and alerts on their way (§17, §30).

use ipmi::command::event::{AlertPolicy, EventFilter, FilteredEvent};
use ipmi::number::{
    AlertPolicyRule, AlertStatus, ChannelNumber, PefActions, PefControl, PefParameter,
};

use super::Parameters;

/// Filters that there are.
pub const FILTERS: u8 = 16;
/// Alert policies that there are.
pub const POLICIES: u8 = 16;
/// Alert strings that there are.
pub const STRINGS: u8 = 8;
/// Alerts that are remembered, at most; the oldest are forgotten.
pub const ALERTS_MAX: usize = 32;
/// [`Pef::postpone_until_s`]: until further notice.
const UNTIL_FURTHER_NOTICE: u64 = u64::MAX;

/// An alert that was sent: a trap for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// When, in seconds of the machine.
    pub at_s: u64,
    /// Channel.
    pub channel: ChannelNumber,
    /// Destination of that channel (LAN parameters 18 and 19).
    pub destination: u8,
    /// Alert string that it carries; 0 for none.
    pub string: u8,
    /// The event.
    pub event: FilteredEvent,
    /// It was acknowledged.
    pub acknowledged: bool,
}

/// The filters' configuration and state.
#[derive(Clone, Debug, Default)]
pub struct Pef {
    /// Configuration (§30.4).
    pub parameters: Parameters,
    /// Filters rest until this second.
    pub postpone_until_s: Option<u64>,
    /// The last event that software handled.
    pub by_software: Option<u16>,
    /// The last event that the BMC handled.
    pub by_bmc: Option<u16>,
    /// Alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// How the last immediate alert went.
    pub immediate: AlertStatus,
}

impl Pef {
    /// Arms the postpone timer (§30.2) and tells what is left of it, in seconds: FEh until further notice.
    pub fn postpone(&mut self, now_s: u64, seconds: u8) -> u8 {
        match seconds {
            0 => self.postpone_until_s = None,
            0xfe => self.postpone_until_s = Some(UNTIL_FURTHER_NOTICE),
            0xff => {}
            seconds => self.postpone_until_s = Some(now_s + u64::from(seconds)),
        }
        match self.postpone_until_s {
            None => 0,
            Some(UNTIL_FURTHER_NOTICE) => 0xfe,
            Some(until_s) => u8::try_from(until_s.saturating_sub(now_s)).unwrap_or(0xfd),
        }
    }

    fn control(&self) -> PefControl {
        let data = self.parameters.get(PefParameter::CONTROL.0, 0, 0);
        PefControl(data.and_then(|data| data.first()).copied().unwrap_or(0))
    }

    fn allowed(&self) -> PefActions {
        let data = self.parameters.get(PefParameter::ACTION_CONTROL.0, 0, 0);
        PefActions(data.and_then(|data| data.first()).copied().unwrap_or(0))
    }

    fn filter(&self, number: u8) -> Option<EventFilter> {
        let data = self
            .parameters
            .get(PefParameter::FILTER_TABLE.0, number, 0)?;
        let mut numbered = vec![number];
        numbered.extend(data);
        EventFilter::from_data(&numbered)
            .ok()
            .map(|(_, filter)| filter)
    }

    fn policy(&self, number: u8) -> Option<AlertPolicy> {
        let data = self
            .parameters
            .get(PefParameter::POLICY_TABLE.0, number, 0)?;
        let mut numbered = vec![number];
        numbered.extend(data);
        AlertPolicy::from_data(&numbered)
            .ok()
            .map(|(_, policy)| policy)
    }

    /// Puts an event through the filters. Alerts are sent; the other actions that passing filters want and that are
    /// allowed are given back.
    pub fn apply(&mut self, now_s: u64, record: u16, event: &FilteredEvent) -> PefActions {
        let resting = self.postpone_until_s.is_some_and(|until_s| now_s < until_s);
        if !self.control().contains(PefControl::ENABLED) || resting {
            return PefActions::NONE;
        }
        let mut wanted = PefActions::NONE;
        let mut policies = 0_u16;
        for filter in (1..=FILTERS).filter_map(|number| self.filter(number)) {
            if filter.matches(event) {
                wanted = wanted | filter.actions;
                if filter.actions.contains(PefActions::ALERT) {
                    policies |= 1 << filter.policy;
                }
            }
        }
        let allowed = PefActions(wanted.0 & self.allowed().0);
        if allowed.contains(PefActions::ALERT) {
            for set in (1..16).filter(|set| policies >> set & 1 == 1) {
                self.alert_by_policy(now_s, set, event);
            }
        }
        self.by_bmc = Some(record);
        allowed
    }

    /// Sends an alert by the policies of a set. Every alert goes out, so that only the first entry and those that are
    /// always used matter (§17.11).
    fn alert_by_policy(&mut self, now_s: u64, set: u8, event: &FilteredEvent) {
        let policies: Vec<_> = (1..=POLICIES)
            .filter_map(|number| self.policy(number))
            .filter(|policy| policy.enabled && policy.policy == set)
            .collect();
        for (index, policy) in policies.iter().enumerate() {
            if index == 0 || policy.rule == AlertPolicyRule::ALWAYS {
                self.send(Alert {
                    at_s: now_s,
                    channel: policy.channel,
                    destination: policy.destination,
                    string: policy.string,
                    event: *event,
                    acknowledged: false,
                });
            }
        }
    }

    /// Remembers an alert as sent.
    pub fn send(&mut self, alert: Alert) {
        if self.alerts.len() >= ALERTS_MAX {
            self.alerts.remove(0);
        }
        self.alerts.push(alert);
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Bytes;
    use ipmi::command::event::DataFilter;
    use ipmi::number::{EventFilterType, EventReadingType, EventSeverity, SensorType};

    use super::*;

    const EVENT: FilteredEvent = FilteredEvent {
        generator: 0x20,
        sensor_type: SensorType::TEMPERATURE,
        sensor_number: 1,
        event_type: EventReadingType::THRESHOLD,
        data: [0x57, 0, 0],
    };

    fn pef(control: u8, allowed: u8) -> Pef {
        let mut pef = Pef::default();
        let mut put = |parameter: PefParameter, set, data: &[u8]| {
            pef.parameters.put((parameter.0, set, 0), data).unwrap();
        };
        put(PefParameter::CONTROL, 0, &[control]);
        put(PefParameter::ACTION_CONTROL, 0, &[allowed]);
        let filter = EventFilter {
            enabled: true,
            filter_type: EventFilterType::SOFTWARE_CONFIGURABLE,
            actions: PefActions::ALERT | PefActions::RESET,
            group_control: 0,
            policy: 1,
            severity: EventSeverity::CRITICAL,
            generator: 0xffff,
            sensor_type: SensorType::TEMPERATURE,
            sensor_number: 0xff,
            event_type: EventReadingType::THRESHOLD,
            offsets: 0xffff,
            data_1: DataFilter::ANY,
            data_2: DataFilter::ANY,
            data_3: DataFilter::ANY,
        };
        let data: Bytes<40> = filter.to_data(2);
        put(PefParameter::FILTER_TABLE, 2, &data[1..]);
        for (number, rule) in [
            (1, AlertPolicyRule::ALWAYS),
            (2, AlertPolicyRule::IF_FAILED_NEXT),
        ] {
            let policy = AlertPolicy {
                policy: 1,
                enabled: true,
                rule,
                channel: ChannelNumber(1),
                destination: number,
                event_specific: false,
                string: 0,
            };
            let data: Bytes<8> = policy.to_data(number);
            put(PefParameter::POLICY_TABLE, number, &data[1..]);
        }
        pef
    }

    #[test]
    fn a_passing_event_alerts_by_policy_and_asks_for_the_allowed_actions() {
        let mut pef = pef(1, 0x05);
        let actions = pef.apply(10, 7, &EVENT);
        assert!(actions.contains(PefActions::RESET));
        let destinations: Vec<_> = pef.alerts.iter().map(|alert| alert.destination).collect();
        assert_eq!(destinations, [1], "the second is for when the first fails");
        assert_eq!(pef.by_bmc, Some(7));
    }

    #[test]
    fn nothing_happens_while_filters_are_off_postponed_or_not_allowed() {
        assert_eq!(pef(0, 0x05).apply(10, 7, &EVENT), PefActions::NONE);
        let mut not_allowed = pef(1, 0);
        assert_eq!(not_allowed.apply(10, 7, &EVENT), PefActions::NONE);
        assert_eq!(not_allowed.alerts, []);
        let mut postponed = pef(1, 0x05);
        assert_eq!(postponed.postpone(10, 30), 30);
        assert_eq!(postponed.postpone(20, 0xff), 20);
        assert_eq!(postponed.apply(20, 7, &EVENT), PefActions::NONE);
        assert_ne!(postponed.apply(40, 7, &EVENT), PefActions::NONE);
        assert_eq!(postponed.postpone(41, 0xfe), 0xfe);
        assert_eq!(postponed.postpone(41, 0), 0);
    }
}

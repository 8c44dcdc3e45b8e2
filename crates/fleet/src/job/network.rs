//! Changes of a BMC's network settings (§23.1).

use hardware::{ApplyError, Network, NetworkChange, Vlan};
use ipmi::command::Bytes;
use ipmi::command::transport::{LanValue, SetLanConfigurationParameters};
use ipmi::number::{ChannelNumber, IpSource, LanParameter};

use super::{SET_IN_PROGRESS, changing, preparing};
use crate::call::CallError;
use crate::contact::identity;
use crate::convert;
use crate::script::Line;

/// Set in progress (parameter 0): complete, in progress.
const COMPLETE: u8 = 0;
const IN_PROGRESS: u8 = 1;

const WHAT: &str = "setting LAN configuration parameters";

/// Sets what is asked for, guarded by set-in-progress. What may cut the connection, address and VLAN, comes last.
pub(super) async fn set(line: &Line, wanted: &NetworkChange) -> Result<(), ApplyError> {
    let guarded = match set_progress(line, IN_PROGRESS).await {
        Ok(()) => true,
        // The guard is optional.
        Err(CallError::Refused { completion, .. }) if completion != SET_IN_PROGRESS => false,
        Err(error) => return Err(preparing(error, WHAT)),
    };
    let mut done = Ok(());
    for (parameter, value) in parameters(wanted) {
        done = set_parameter(line, parameter, value.to_data()).await;
        if done.is_err() {
            break;
        }
    }
    if guarded {
        // Whatever became of the parameters: nobody else can set any while the guard stands.
        let _ = set_progress(line, COMPLETE).await;
    }
    done.map_err(|error| changing(error, WHAT))
}

/// Reads the settings as they are now.
pub(super) async fn read(line: &Line) -> Option<Network> {
    let settings = identity::lan(line).await.ok()?;
    convert::network(&settings)
}

fn parameters(wanted: &NetworkChange) -> impl Iterator<Item = (LanParameter, LanValue)> {
    let source = wanted.dhcp.map(|dhcp| {
        LanValue::Source(if dhcp {
            IpSource::DHCP
        } else {
            IpSource::STATIC
        })
    });
    let ipv4 = |address: Option<std::net::Ipv4Addr>| {
        address.map(|address| LanValue::Ipv4(address.octets()))
    };
    let vlan = wanted
        .vlan
        .map(|Vlan { id, enabled }| LanValue::Vlan { id, enabled });
    [
        (LanParameter::IP_ADDRESS_SOURCE, source),
        (LanParameter::SUBNET_MASK, ipv4(wanted.netmask)),
        (LanParameter::DEFAULT_GATEWAY_ADDRESS, ipv4(wanted.gateway)),
        (LanParameter::IP_ADDRESS, ipv4(wanted.address)),
        (LanParameter::VLAN_ID, vlan),
    ]
    .into_iter()
    .filter_map(|(parameter, value)| Some((parameter, value?)))
}

async fn set_progress(line: &Line, progress: u8) -> Result<(), CallError> {
    set_parameter(line, LanParameter::SET_IN_PROGRESS, Bytes::from([progress])).await
}

async fn set_parameter(
    line: &Line,
    parameter: LanParameter,
    data: Bytes<{ ipmi::command::transport::LAN_PARAMETER_MAX }>,
) -> Result<(), CallError> {
    line.call(&SetLanConfigurationParameters {
        channel: ChannelNumber::PRESENT,
        parameter,
        data,
    })
    .await
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::script::{Script, play};

    fn set_played(
        wanted: NetworkChange,
        mut answer: impl FnMut(&[u8]) -> play::Reply,
    ) -> (Result<(), ApplyError>, Vec<Vec<u8>>) {
        let mut calls = Vec::new();
        let script = Script::new(move |line| async move { set(&line, &wanted).await });
        let done = play::run(script, |call| {
            assert_eq!(call.cmd, SetLanConfigurationParameters::CMD);
            calls.push(call.data().to_vec());
            answer(call.data())
        });
        (done, calls)
    }

    const WANTED: NetworkChange = NetworkChange {
        dhcp: Some(false),
        address: Some(Ipv4Addr::new(10, 0, 0, 8)),
        netmask: Some(Ipv4Addr::new(255, 255, 255, 0)),
        gateway: None,
        vlan: Some(Vlan {
            id: 5,
            enabled: true,
        }),
    };

    #[test]
    fn only_what_is_wished_is_set_and_the_address_late() {
        let (done, calls) = set_played(WANTED, |_| Some((CompletionCode::OK, vec![])));
        assert_eq!(done, Ok(()));
        assert_eq!(
            calls,
            [
                &[0x0e, 0, 1][..],
                &[0x0e, 4, 1],
                &[0x0e, 6, 255, 255, 255, 0],
                &[0x0e, 3, 10, 0, 0, 8],
                &[0x0e, 20, 5, 0x80],
                &[0x0e, 0, 0],
            ]
        );
    }

    #[test]
    fn a_refused_parameter_ends_it_and_lifts_the_guard() {
        let (done, calls) = set_played(WANTED, |data| {
            let refused = CompletionCode(if data[1] == 6 { 0x82 } else { 0 });
            Some((refused, vec![]))
        });
        assert!(matches!(done, Err(ApplyError::Refused { .. })));
        assert_eq!(calls.len(), 4);
        assert_eq!(calls[3], [0x0e, 0, 0]);
    }

    #[test]
    fn a_bmc_that_is_silent_after_the_new_address_leaves_it_unconfirmed() {
        let (done, _) = set_played(WANTED, |data| {
            (data[1] != 3).then_some((CompletionCode::OK, vec![]))
        });
        assert!(matches!(done, Err(ApplyError::Unconfirmed { .. })));
    }
}

//! ASF presence ping and pong: is there a BMC at this address (§13.2.3, §13.2.4).

use super::{Reader, WireError, WireFault, Writer, rmcp};
use crate::number::{AsfEntities, AsfInteractions, AsfMessageType, EnterpriseNumber};

/// IANA enterprise number of ASF.
const ENTERPRISE: u32 = EnterpriseNumber::ASF.0;

/// An ASF message of the two kinds that IPMI uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asf {
    /// Presence Ping: a console asks.
    Ping {
        /// Comes back in the pong.
        tag: u8,
    },
    /// Presence Pong: the BMC answers.
    Pong {
        /// The ping's tag.
        tag: u8,
        /// What the machine speaks.
        entities: AsfEntities,
        /// How.
        interactions: AsfInteractions,
    },
}

impl Asf {
    /// The answer of a BMC to a ping.
    #[must_use]
    pub fn pong(tag: u8) -> Self {
        Self::Pong {
            tag,
            entities: AsfEntities::IPMI | AsfEntities::ASF_1_0,
            interactions: AsfInteractions::NONE,
        }
    }

    /// Writes the whole datagram, RMCP header included.
    pub fn encode(&self, w: &mut Writer<'_>) {
        rmcp::encode(rmcp::Class::Asf, w);
        w.bytes(&ENTERPRISE.to_be_bytes());
        match *self {
            Self::Ping { tag } => w.bytes(&[AsfMessageType::PRESENCE_PING.0, tag, 0, 0]),
            Self::Pong {
                tag,
                entities,
                interactions,
            } => {
                w.bytes(&[AsfMessageType::PRESENCE_PONG.0, tag, 0, 16]);
                w.bytes(&ENTERPRISE.to_be_bytes());
                w.u32(0);
                w.bytes(&[entities.0, interactions.0]);
                w.bytes(&[0; 6]);
            }
        }
    }

    /// Reads what follows the RMCP header.
    ///
    /// # Errors
    /// Another enterprise or message type is [`WireFault::Invalid`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let enterprise = r.array("ASF enterprise number")?;
        if u32::from_be_bytes(enterprise) != ENTERPRISE {
            return Err(r.error("ASF enterprise number", WireFault::Invalid));
        }
        let kind = AsfMessageType(r.u8("ASF message type")?);
        let tag = r.u8("ASF message tag")?;
        r.u8("ASF reserved byte")?;
        let len = r.u8("ASF data length")?;
        let data = r.take("ASF data", usize::from(len))?;
        match (kind, data) {
            (AsfMessageType::PRESENCE_PING, _) => Ok(Self::Ping { tag }),
            (
                AsfMessageType::PRESENCE_PONG,
                &[_, _, _, _, _, _, _, _, entities, interactions, ..],
            ) => Ok(Self::Pong {
                tag,
                entities: AsfEntities(entities),
                interactions: AsfInteractions(interactions),
            }),
            (AsfMessageType::PRESENCE_PONG, _) => {
                Err(r.error("ASF pong data", WireFault::Truncated))
            }
            _ => Err(r.error("ASF message type", WireFault::Invalid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ping_and_pong_round_trip() {
        for asf in [
            Asf::Ping { tag: 7 },
            Asf::pong(0xfe),
            Asf::Pong {
                tag: 1,
                entities: AsfEntities::ASF_1_0,
                interactions: AsfInteractions::DASH,
            },
        ] {
            let mut buffer = [0xa5; 64];
            let mut w = Writer::new(&mut buffer);
            asf.encode(&mut w);
            let mut r = Reader::new(w.written());
            assert_eq!(rmcp::decode(&mut r), Ok(rmcp::Class::Asf));
            assert_eq!(Asf::decode(&mut r), Ok(asf));
            assert!(r.is_empty());
        }
    }

    #[test]
    fn a_pong_has_the_bytes_of_table_13_6() {
        let mut buffer = [0xa5; 64];
        let mut w = Writer::new(&mut buffer);
        Asf::pong(9).encode(&mut w);
        assert_eq!(
            w.written(),
            [
                6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x40, 9, 0, 16, 0, 0, 0x11, 0xbe, 0, 0, 0, 0,
                0x81, 0, 0, 0, 0, 0, 0, 0
            ]
        );
    }
}

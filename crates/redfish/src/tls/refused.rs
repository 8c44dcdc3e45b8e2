//! Why a client's certificate opened nothing: in words for the audit log, since TLS itself tells the client next to nothing.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::SystemTime;

use rustls::{CertificateError, Error};

/// How far apart entries about refused certificates are at least, in seconds: anybody may try, and the audit log is bounded.
const INTERVAL_S: i64 = 2;

/// The cause where a handshake has failed because of the certificate that the client showed, or did not show.
pub(crate) fn cause(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    match error {
        Error::NoCertificatesPresented => {
            Some("it showed none, and certificates are necessary".into())
        }
        Error::InvalidCertificate(why) => Some(match why {
            CertificateError::UnknownIssuer => "no authority of ours vouches for it".into(),
            CertificateError::BadSignature => {
                "the authority that it names has not signed it".into()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "it has expired".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet".into()
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "it is not for clients (extended key usage clientAuth)".into()
            }
            CertificateError::BadEncoding => "it is no certificate of X.509 version 3".into(),
            other => format!("it is not valid: {other}"),
        }),
        _ => None,
    }
}

/// Lets one entry through in each [`INTERVAL_S`].
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last_s: AtomicI64,
}

impl Pace {
    /// Whether it is time for another entry.
    pub(crate) fn lets_through(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now_s = now.map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        });
        let last_s = self.last_s.load(Relaxed);
        // A clock that was set back must not silence the log.
        let is_due = now_s.abs_diff(last_s) >= INTERVAL_S.unsigned_abs();
        is_due
            && self
                .last_s
                .compare_exchange(last_s, now_s, Relaxed, Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: Error) -> Option<String> {
        cause(&io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn a_refused_certificate_has_a_cause_that_an_operator_can_act_on() {
        let of = |why| said(Error::InvalidCertificate(why)).unwrap();
        assert!(of(CertificateError::UnknownIssuer).contains("authority"));
        assert!(of(CertificateError::Expired).contains("expired"));
        assert!(of(CertificateError::InvalidPurpose).contains("clientAuth"));
        assert!(
            said(Error::NoCertificatesPresented)
                .unwrap()
                .contains("necessary")
        );
    }

    #[test]
    fn a_handshake_that_broke_for_another_reason_says_nothing_about_certificates() {
        assert_eq!(said(Error::DecryptError), None);
        assert_eq!(cause(&io::Error::from(io::ErrorKind::UnexpectedEof)), None);
    }

    #[test]
    fn a_flood_of_refusals_makes_few_entries() {
        let pace = Pace::default();
        let let_through = (0..1000).filter(|_| pace.lets_through()).count();
        assert!((1..=10).contains(&let_through), "{let_through}");
    }
}

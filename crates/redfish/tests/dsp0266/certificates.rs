//! The certificate service: requests, replacement, refusals.

use serde_json::json;
use x509_parser::prelude::*;

use crate::bench::{Bench, Client};

const SERVICE: &str = "/redfish/v1/CertificateService";
const COLLECTION: &str = "/redfish/v1/Managers/Testbench/NetworkProtocol/HTTPS/Certificates";
const HTTPS: &str = "/redfish/v1/Managers/Testbench/NetworkProtocol/HTTPS/Certificates/1";
const CSR: &str = "/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR";
const REPLACE: &str =
    "/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate";

/// An authority that signs whatever is asked for.
fn sign(csr: &str) -> String {
    let request = rcgen::CertificateSigningRequestParams::from_pem(csr).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "An authority");
    let issuer = rcgen::Issuer::new(params, key);
    request.signed_by(&issuer).unwrap().pem()
}

async fn replace(client: &Client<'_>, text: &str) -> crate::bench::Answer {
    let body = json!({
        "CertificateString": text,
        "CertificateType": "PEM",
        "CertificateUri": { "@odata.id": HTTPS },
    });
    client.post(REPLACE, &body.to_string()).await
}

#[tokio::test]
async fn a_certificate_is_asked_for_signed_and_brought() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let before = root.get(HTTPS).await;
    before.assert_valid();
    let body = json!({
        "CommonName": "rack.example",
        "Organization": "Example",
        "AlternativeNames": ["rack.example"],
        "CertificateCollection": { "@odata.id": COLLECTION },
    });
    let answer = root.post(CSR, &body.to_string()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["CertificateCollection"]["@odata.id"],
        COLLECTION
    );
    let csr = answer.json()["CSRString"].as_str().unwrap().to_owned();
    let (_, pem) = parse_x509_pem(csr.as_bytes()).unwrap();
    let (_, parsed) = X509CertificationRequest::from_der(&pem.contents).unwrap();
    let subject = parsed.certification_request_info.subject.to_string();
    assert!(subject.contains("rack.example"), "{subject}");
    assert_eq!(
        root.get(HTTPS).await.json(),
        before.json(),
        "only asked so far"
    );

    assert_eq!(replace(&root, &sign(&csr)).await.status, 204);
    let after = root.get(HTTPS).await;
    after.assert_valid();
    assert_eq!(after.json()["Subject"]["CommonName"], "rack.example");
    assert_eq!(after.json()["Issuer"]["CommonName"], "An authority");
    assert!(!after.json().to_string().contains("PRIVATE"));
}

#[tokio::test]
async fn a_certificate_whose_key_nobody_has_is_refused() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let before = root.get(HTTPS).await.json();
    let foreign = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    let answer = replace(&root, &foreign.cert.pem()).await;
    answer.assert_error(400, &["ActionParameterValueError"]);
    assert!(answer.json().to_string().contains("doesn't belong"));
    for text in [
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let answer = replace(&root, text).await;
        answer.assert_error(400, &["ActionParameterValueError"]);
    }
    assert_eq!(root.get(HTTPS).await.json(), before);
    // With its key beside it, it is taken.
    let both = foreign.cert.pem() + &foreign.signing_key.serialize_pem();
    assert_eq!(replace(&root, &both).await.status, 204);
    assert_ne!(root.get(HTTPS).await.json(), before);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let mut params = rcgen::CertificateParams::new(vec!["x".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let text = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
    let answer = replace(&root, &text).await;
    answer.assert_error(400, &["ActionParameterValueError"]);
    assert!(answer.json().to_string().contains("expired"));
}

#[tokio::test]
async fn only_an_administrator_asks_and_only_for_what_can_be_made() {
    let bench = Bench::new();
    let body = |extra: serde_json::Value| {
        let mut body = json!({ "CertificateCollection": { "@odata.id": COLLECTION } });
        let (Some(body_map), Some(extra)) = (body.as_object_mut(), extra.as_object()) else {
            panic!("both are objects");
        };
        body_map.extend(extra.clone());
        body.to_string()
    };
    let operator = bench.client("operator").await;
    assert_eq!(operator.post(CSR, &body(json!({}))).await.status, 403);
    let root = bench.client("root").await;
    for extra in [
        json!({ "KeyPairAlgorithm": "TPM_ALG_EDDSA", "KeyCurveId": "TPM_ECC_NIST_P256" }),
        json!({ "CertificateCollection": { "@odata.id": "/redfish/v1/Chassis" } }),
        json!({ "AlternativeNames": ["ä"] }),
    ] {
        let answer = root.post(CSR, &body(extra)).await;
        answer.assert_error(400, &["ActionParameterValueError"]);
    }
    for extra in [
        json!({ "ChallengePassword": "x" }),
        json!({ "KeyBitLength": 1024 }),
        json!({ "Email": "a@example.org" }),
    ] {
        let answer = root.post(CSR, &body(extra)).await;
        answer.assert_error(400, &["ActionParameterNotSupported"]);
    }
    let rsa = json!({ "KeyPairAlgorithm": "TPM_ALG_RSA" });
    let answer = root.post(CSR, &body(rsa)).await;
    answer.assert_error(400, &["ActionParameterValueNotInList"]);
    root.get(SERVICE).await.assert_valid();
}

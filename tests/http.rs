//! The HTTP contract, in process, through the same application that the program serves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where its premise fails")]

use actix_web::http::StatusCode;
use actix_web::{test, web};
use defuse::engine::{Engine, Options};
use defuse::http::{Limits, State, create_app};
use serde_json::{Value, json};

fn state(limits: Limits) -> State {
    State::new(Engine::open(&Options { threads: 2, ..Options::default() }).unwrap(), limits)
}

async fn send(request: test::TestRequest, limits: Limits) -> (StatusCode, Value, String) {
    let app = test::init_service(create_app(state(limits))).await;
    let response = test::call_service(&app, request.to_request()).await;
    let status = response.status();
    let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let headers = format!("{}|{}|{}", header("content-type"), header("retry-after"), header("allow"));
    let body = test::read_body(response).await;
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null), headers)
}

fn post(body: impl Into<web::Bytes>) -> test::TestRequest {
    test::TestRequest::post().uri("/v1/score").insert_header(("content-type", "application/json")).set_payload(body)
}

async fn score(body: Value) -> (StatusCode, Value) {
    let (status, value, _) = send(post(body.to_string()), Limits::default()).await;
    (status, value)
}

#[actix_web::test]
async fn five_languages_get_complete_results() {
    let documents = json!([
        {"id": "en", "text": "This is the third time I'm writing and still no reply. I want to speak to your manager."},
        {"id": "es", "text": "Es la tercera vez que escribo y nadie me contesta. Quiero hablar con su jefe."},
        {"id": "de", "text": "Ich schreibe jetzt zum dritten Mal und bekomme keine Antwort. Ich möchte Ihren Vorgesetzten sprechen."},
        {"id": "zh-Hans", "text": "我已经第三次联系你们了，一直没人回复。叫你们经理来跟我说。"},
        {"id": "zh-Hant", "text": "我已經第三次聯絡你們了，一直沒人回覆。請你們主管跟我聯絡。"},
        {"id": "ar", "text": "هذه ثالث مرة أراسلكم ولا أحد يرد. أريد التحدث مع المدير."},
    ]);
    let (status, view) = score(json!({"documents": documents})).await;
    assert_eq!(status, 200, "{view}");
    assert_eq!(view["errors"], json!([]));
    for (document, result) in documents.as_array().unwrap().iter().zip(view["results"].as_array().unwrap()) {
        let id = document["id"].as_str().unwrap();
        let text: Vec<char> = document["text"].as_str().unwrap().chars().collect();
        assert_eq!(result["id"], document["id"]);
        assert_eq!(result["language"]["code"], id, "{result}");
        assert_eq!(result["sentiment"]["label"], "negative", "{result}");
        let cues: Vec<&str> = result["cues"].as_array().unwrap().iter().map(|c| c["cue"].as_str().unwrap()).collect();
        assert!(cues.contains(&"manager_demand") && cues.contains(&"repeat_contact"), "{id}: {cues:?}");
        for cue in result["cues"].as_array().unwrap() {
            let at = |name: &str| usize::try_from(cue[name].as_u64().unwrap()).unwrap();
            assert_eq!(text[at("start")..at("end")].iter().collect::<String>(), cue["text"].as_str().unwrap());
        }
        assert_eq!(result["priority"]["level"], "high", "{id}: {}", result["priority"]);
        assert!(!result["priority"]["reasons"].as_array().unwrap().is_empty());
        let phrases: Vec<&Value> =
            result["strategies"].as_array().unwrap().iter().flat_map(|s| s["phrases"].as_array().unwrap()).collect();
        assert!(!phrases.is_empty(), "{id} has no phrases");
        assert!(phrases.iter().all(|p| p["language"] == id), "{id}: {phrases:?}");
    }
    for key in ["version", "packs", "policy"] {
        assert!(view["provenance"][key].is_string());
    }
    assert!(view["provenance"]["model"]["revision"].is_string());
}

#[actix_web::test]
async fn options_change_what_is_shown() {
    let text = "So 😀, I'm not angry. Get me your manager!";
    let (_, plain) = score(json!({"documents": [{"text": text}]})).await;
    let plain = &plain["results"][0];
    assert!(plain.get("suppressed").is_none() && plain["strategies"].is_array());
    assert_eq!(plain["id"], "0");
    let options = json!({"explain": true, "strategies": false, "offset_unit": "utf16", "priority_for": "jira"});
    let (_, view) = score(json!({"documents": [{"text": text}], "options": options})).await;
    let view = &view["results"][0];
    assert!(view.get("strategies").is_none());
    assert_eq!(view["priority"]["external"], "High");
    assert!(
        view["suppressed"].as_array().unwrap().iter().any(|s| s["cue"] == "anger" && s["reason"] == "negated"),
        "{view}"
    );
    assert!(view["counterfactuals"].as_array().unwrap().iter().any(|c| c["cue"] == "manager_demand"), "{view}");
    let manager = |v: &Value| {
        v["cues"].as_array().unwrap().iter().find(|c| c["cue"] == "manager_demand").unwrap()["start"].as_u64().unwrap()
    };
    assert_eq!(manager(view), manager(plain) + 1, "the emoji is two units of UTF-16");
}

#[actix_web::test]
async fn bad_items_do_not_spoil_good_ones() {
    let (status, view) =
        score(json!({"documents": [{"id": 1, "text": "hello"}, {"id": 2, "text": "  "}, {"id": 3, "text": "?"}]}))
            .await;
    assert_eq!(status, 200);
    assert_eq!(
        view["results"].as_array().unwrap().iter().map(|r| &r["index"]).collect::<Vec<_>>(),
        [&json!(0), &json!(2)]
    );
    assert_eq!(view["errors"], json!([{"id": 2, "index": 1, "code": "empty_text", "message": "the text is empty"}]));
}

#[actix_web::test]
async fn stated_languages_are_served_or_refused() {
    let (_, view) =
        score(json!({"documents": [{"text": "ok", "language": "es-MX"}, {"text": "退錢", "language": "zh"}]})).await;
    assert_eq!(view["results"][0]["language"], json!({"code": "es", "confidence": 1.0, "source": "stated"}));
    assert_eq!(view["results"][1]["language"]["code"], "zh-Hant");
    let (status, problem) = score(json!({"documents": [{"text": "ok", "language": "tlh"}]})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("unsupported_language")));
    assert_eq!(problem["errors"][0]["pointer"], "/documents/0/language");
}

#[actix_web::test]
async fn every_bad_request_has_its_own_clear_problem() {
    let json_type = ("content-type", "application/json");
    let small = Limits { body_bytes: 1000, batch: 2, ..Limits::default() };
    let cases: Vec<(test::TestRequest, u16, &str, &str)> = vec![
        (post("{\"documents\": ["), 400, "not_json", "line 1, column 15"),
        (post(&b"{\"documents\": [{\"text\": \"\xFF\"}]}"[..]), 400, "not_json", "byte 26"),
        (post(""), 400, "not_json", "line 1"),
        (post("[]"), 422, "invalid_request", "found an array"),
        (post("{}"), 422, "invalid_request", "/documents: is required"),
        (post("{\"documents\": []}"), 422, "invalid_request", "at least one"),
        (
            post("{\"documents\": [{\"text\": 5}]}"),
            422,
            "invalid_request",
            "/documents/0/text: expected a string, found a number",
        ),
        (post("{\"documents\": [{\"id\": 1}]}"), 422, "invalid_request", "/documents/0/text: is required"),
        (
            post("{\"documents\": [{\"text\": \"a\", \"mood\": 1}]}"),
            422,
            "invalid_request",
            "/documents/0/mood: unknown key",
        ),
        (
            post("{\"documents\": [{\"text\": \"a\"}], \"options\": {\"offset_unit\": \"inch\"}}"),
            422,
            "invalid_request",
            "/options/offset_unit",
        ),
        (post("{\"documents\": [{\"text\": \"a\"}], \"option\": {}}"), 422, "invalid_request", "/option: unknown key"),
        (
            post("{\"documents\": [{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]}"),
            413,
            "batch_too_large",
            "at most 2",
        ),
        (post(vec![b' '; 1001]), 413, "body_too_large", "at most 1000 bytes"),
        (
            test::TestRequest::post().uri("/v1/score").set_payload("{}"),
            415,
            "unsupported_media_type",
            "application/json",
        ),
        (test::TestRequest::get().uri("/v1/score"), 405, "method_not_allowed", "use POST"),
        (test::TestRequest::post().uri("/health").insert_header(json_type), 405, "method_not_allowed", "use GET"),
        (test::TestRequest::get().uri("/nowhere"), 404, "not_found", "/info"),
        (test::TestRequest::get().uri("/v1/playbooks/nope"), 404, "not_found", "known: "),
        (test::TestRequest::get().uri("/v1/playbooks?mood=1"), 422, "invalid_request", "signal, channel, language"),
    ];
    for (request, status, code, detail) in cases {
        let (given, problem, headers) = send(request, small).await;
        assert_eq!((given.as_u16(), &problem["code"]), (status, &json!(code)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        assert!(headers.starts_with("application/problem+json|"), "{headers}");
        for key in ["type", "title", "status"] {
            assert!(!problem[key].is_null(), "{problem}");
        }
    }
}

#[actix_web::test]
async fn all_wrong_fields_are_told_at_once() {
    let (_, problem) =
        score(json!({"documents": [{"text": 1, "channel": "fax"}, {"author": "bot", "text": "x"}]})).await;
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/documents/0/text", "/documents/0/channel", "/documents/1/author"]);
}

#[actix_web::test]
async fn problems_never_quote_the_customer() {
    let canary = "canary-7f3a";
    for body in [
        format!("{{\"documents\": [{{\"text\": \"{canary}\""),
        format!("{{\"documents\": [{{\"text\": [\"{canary}\"]}}]}}"),
    ] {
        let (_, problem, _) = send(post(body), Limits::default()).await;
        assert!(!problem.to_string().contains(canary), "{problem}");
    }
}

#[actix_web::test]
async fn operations_say_what_is_loaded() {
    for (route, key) in [
        ("/health", "status"),
        ("/ready", "status"),
        ("/info", "provenance"),
        ("/v1/languages", "languages"),
        ("/v1/cues", "cues"),
        ("/v1/playbooks", "playbooks"),
        ("/v1/policy", "policy"),
        ("/v1/playbooks?signal=manager_demand&language=es", "playbooks"),
        ("/v1/playbooks/resolved", "steps"),
    ] {
        let (status, view, _) = send(test::TestRequest::get().uri(route), Limits::default()).await;
        assert_eq!(status, 200, "{route}");
        assert!(!view[key].is_null(), "{route}: {view}");
    }
    let (_, cues, _) = send(test::TestRequest::get().uri("/v1/cues"), Limits::default()).await;
    assert_eq!(cues["cues"].as_array().unwrap().len(), 15);
}

#[actix_web::test]
async fn agents_are_not_customers() {
    let text = "I want to speak to your manager and I will sue you.";
    let (_, view) = score(json!({"documents": [{"text": text, "author": "agent"}, {"text": text}]})).await;
    assert_eq!(view["results"][0]["cues"], json!([]));
    assert_ne!(view["results"][1]["cues"], json!([]));
}

#[actix_web::test]
async fn a_crisis_comes_before_everything() {
    for text in ["I don't want to live anymore. Nobody would miss me.", "Ich will nicht mehr leben."] {
        let (_, view) = score(json!({"documents": [{"text": text}]})).await;
        let result = &view["results"][0];
        assert_eq!(result["priority"]["level"], "urgent", "{result}");
        assert_eq!(result["strategies"][0]["id"], "safe-crisis", "{result}");
    }
}

//! Compares the table of docs/detectors.md with the measured detectors, and checks lower bounds.

use slt_evals::score;

#[test]
fn the_table_of_the_document_is_what_the_detectors_do() {
    let scores = score::scores();
    let of = |detector: &str, on: &str| {
        let mut scores = scores.iter().filter(|score| score.detector == detector && score.on.contains(on));
        scores.next().unwrap()
    };
    for on in ["unchanged files", "moved lines", "a crash"] {
        let score = of("record regressed", on);
        assert_eq!((score.precision(), score.recall()), (Some(1.0), Some(1.0)), "{score:?}");
    }
    assert_eq!(of("record regressed", "new records").precision(), Some(1.0));
    for score in scores.iter().filter(|score| score.detector == "file flaky") {
        assert_eq!(score.precision(), Some(1.0), "{score:?}");
    }
    for noise in ["quiet", "usual"] {
        let score = of("file slower", &format!("{noise} noise, no change"));
        assert_eq!((score.histories, score.wrong), (1000, 0), "no false alarm: {score:?}");
        let score = of("file slower", &format!("{noise} noise, one file 2 times"));
        assert!(score.recall().is_some_and(|recall| recall > 0.95), "found after three runs: {score:?}");
    }
    let cluster = |on: &str| of("record in the cluster of its bug", on);
    for score in scores.iter().filter(|score| score.detector == cluster("").detector) {
        // docs/detectors.md explains the exceptions: failures without a common feature, and a bug with two effects.
        let (precision, recall) = (score.precision().unwrap(), score.recall().unwrap());
        assert!(precision > 0.9 && (recall > 0.99 || score.on.contains("two ways")), "{score:?}");
    }
    for score in scores.iter().filter(|score| score.detector == "file green after the first fixes") {
        assert_eq!(score.recall(), Some(1.0), "all that turn green are promised: {score:?}");
        let exact = score.on.contains("no noise");
        assert!(
            score.precision().is_some_and(|share| if exact { share == 1.0 } else { share > 0.9 }),
            "{score:?}"
        );
    }
    // Logarithms are not the same to the last bit everywhere.
    if cfg!(not(target_os = "linux")) {
        return;
    }
    // A package taken from a registry has no documents around it.
    let Ok(document) =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/detectors.md"))
    else {
        return;
    };
    let expected = score::with_table(&document, &score::table(&scores));
    let how = "docs/detectors.md says how the table is made";
    assert_eq!(expected.as_deref(), Some(document.as_str()), "{how}");
}

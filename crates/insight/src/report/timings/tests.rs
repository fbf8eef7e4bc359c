use proptest::prelude::*;

use super::*;
use slt_core::outcome::FilePart;
use slt_runner::event::{EventSink as _, RunEvent};

/// Gap, length, file (0 is a start) and whether it was lost.
type RandomSpan = (u16, u16, u8, bool);

fn span(place: usize, from: u64, to: u64, file: u8, is_lost: bool) -> WorkerSpan {
    let [from, to] = [from, to].map(Duration::from_millis);
    let work = match file {
        0 => SpanWork::Start,
        _ => {
            let measured = if is_lost { FileTimes::lost(to - from) } else { FileTimes::default() };
            let file = FileId::in_suite("s", &format!("{file}.test"));
            SpanWork::File { file, slice: None, helps: false, times: measured.filled_up(to - from) }
        }
    };
    WorkerSpan { place, from, to, work }
}

/// Collects a session of the spans of each place, which ends `rest` behind the last of them.
fn collect(timings: &mut RunTimings, places: &[Vec<RandomSpan>], rest: u16, is_killed: bool) {
    let mut tell = |event: RunEvent| timings.on_event(&event).unwrap();
    tell(RunEvent::TimingsStarted { workers: places.len() });
    let mut last = 0;
    for (place, spans) in places.iter().enumerate() {
        let mut at = 0;
        for &(gap, length, file, is_lost) in spans {
            let from = at + u64::from(gap);
            at = from + u64::from(length);
            tell(RunEvent::WorkerTimed(span(place, from, at, file, is_lost)));
        }
        last = last.max(at);
    }
    if !is_killed {
        let elapsed = Duration::from_millis(last + u64::from(rest));
        tell(RunEvent::RunFinished { elapsed, end: slt_core::outcome::RunEnd::Completed });
    }
}

proptest! {
    #[test]
    fn the_parts_of_all_workers_add_up_to_their_time(
        sessions in prop::collection::vec(
            (
                prop::collection::vec(prop::collection::vec(any::<RandomSpan>(), 0..8), 1..5),
                any::<u16>(),
                any::<bool>(),
            ),
            0..4,
        ),
    ) {
        let mut timings = RunTimings::default();
        for (places, rest, is_killed) in &sessions {
            collect(&mut timings, places, *rest, *is_killed);
        }
        let summary = TimingsSummary::new(&timings);
        let sum: Duration = summary.parts().iter().map(|(_, time)| *time).sum();
        prop_assert_eq!(sum, summary.worker_time);
        let of_files: Duration = summary.files.iter().map(|file| file.times.total()).sum();
        prop_assert_eq!(of_files, summary.times.total());
        let executions: u64 = summary.files.iter().map(|file| file.executions).sum();
        let spans = timings.sessions.iter().flat_map(|session| &session.spans);
        prop_assert_eq!(executions as usize, spans.filter(|span| span.work != SpanWork::Start).count());
        prop_assert!(summary.files.iter().all(|file| file.repeated <= file.times.total()));
    }
}

#[test]
fn help_is_no_repetition() {
    let mut timings = RunTimings::default();
    collect(&mut timings, &[vec![(0, 500, 1, false)], vec![(300, 200, 1, false)], vec![]], 0, false);
    assert_eq!(TimingsSummary::new(&timings).files[0].repeated, Duration::from_millis(500));
    for span in &mut timings.sessions[0].spans {
        if let SpanWork::File { helps, .. } = &mut span.work {
            *helps = span.from > Duration::ZERO;
        }
    }
    let summary = TimingsSummary::new(&timings);
    assert_eq!((summary.files[0].executions, summary.files[0].repeated), (2, Duration::ZERO));
    assert!(summary.ending.unwrap().is_slice);
}

#[test]
fn workers_that_wait_for_the_last_file_are_counted() {
    let mut timings = RunTimings::default();
    // Two places wait for the third; the fourth has not run at all.
    let places = [
        vec![(0, 100, 1, false)],
        vec![(0, 400, 2, false)],
        vec![(0, 1, 0, false), (99, 900, 3, true)],
        vec![],
    ];
    collect(&mut timings, &places, 0, false);
    let summary = TimingsSummary::new(&timings);
    let ending = summary.ending.unwrap();
    assert_eq!((ending.file.path(), ending.waiting), ("3.test", 3));
    assert_eq!(ending.longest, Duration::from_secs(1));
    assert_eq!(summary.idle, Duration::from_millis(900 + 600 + 1000));
    assert_eq!(summary.wait, Duration::from_millis(99));
    assert_eq!(summary.times.get(FilePart::Lost), Duration::from_millis(900));
    let mut text = String::new();
    write(&mut text, &timings, &|file| file.path().to_owned()).unwrap();
    assert!(text.contains("3 of 4 workers waited up to 1.000 s for the last file, 3.test"), "{text}");
    assert!(text.contains("use at most `--workers 3`"), "{text}");
}

#[test]
fn only_the_last_execution_is_not_repeated() {
    let mut timings = RunTimings::default();
    let places = [vec![(0, 100, 1, true), (0, 50, 1, false), (0, 30, 1, false), (0, 7, 2, false)]];
    collect(&mut timings, &places, 0, false);
    let summary = TimingsSummary::new(&timings);
    let file = &summary.files[0];
    assert_eq!((file.file.path(), file.executions), ("1.test", 3));
    assert_eq!(file.repeated, Duration::from_millis(150));
    // A session that does not measure adds nothing.
    let measured = timings.clone();
    timings
        .on_event(&RunEvent::RunFinished {
            elapsed: Duration::from_secs(9),
            end: slt_core::outcome::RunEnd::Completed,
        })
        .unwrap();
    assert_eq!(timings.sessions, measured.sessions);
}

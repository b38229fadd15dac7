use super::*;
use crate::report::path::Spent;

fn measured(rival: Rival, scene: Scene, seconds: f64) -> Measured {
    let spent = vec![Spent { name: "build".to_owned(), seconds }];
    let run = rival.word(scene).to_owned();
    let spending = Spending { run, spent, chain: Vec::new(), work: None };
    let counts = (rival != Rival::Plain).then(|| Counts { direct: 60, ..Counts::default() });
    Measured { rival, scene, seconds, counts, ccache: Some("4.7.5".to_owned()), spending }
}

/// Two rounds, the second one twice as long, with these seconds for b and Warmwheel by scene.
fn rounds(by_hand: [f64; 4], warmwheel: [f64; 4]) -> Vec<Vec<Measured>> {
    let round = |factor: f64| {
        let mut all = vec![measured(Rival::Plain, Scene::Cold, 200.0 * factor)];
        for (rival, seconds) in [(Rival::Warmwheel, warmwheel), (Rival::ByHand, by_hand)] {
            let scenes = Scene::ALL.into_iter().zip(seconds);
            all.extend(scenes.map(|(scene, it)| measured(rival, scene, it * factor)));
        }
        all
    };
    vec![round(1.0), round(2.0)]
}

fn compared(package: Sample, rounds: &[Vec<Measured>]) -> Vec<Row> {
    let mut rows = rows(package, rounds);
    let a = Rival::Plain.title(Scene::Cold);
    let b = Rival::ByHand.title(Scene::Cold);
    let baselines = [Baseline::in_scene(a, Scene::Cold.title(), "a"), Baseline::new(b, "b")];
    figures::compare(&mut rows, &baselines);
    rows
}

#[test]
fn rows_stand_scene_by_scene_with_ratios_to_both_rivals() {
    let rows =
        compared(Sample::AwkwardCpp, &rounds([160.0, 60.0, 100.0, 80.0], [80.0, 20.0, 60.0, 20.0]));
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.scene.as_str(), row.command.as_str(), row.median, row.ratios.clone()))
        .collect();
    let expected = [
        ("cold", "a: plain", 300.0, vec![Some(1.0), Some(1.25)]),
        ("cold", "b: ccache", 240.0, vec![Some(0.8), Some(1.0)]),
        ("cold", "c: Warmwheel", 120.0, vec![Some(0.4), Some(0.5)]),
        ("warm", "b: ccache", 90.0, vec![Some(0.3), Some(1.0)]),
        ("warm", "d: Warmwheel", 30.0, vec![Some(0.1), Some(1.0 / 3.0)]),
        ("header changed", "b: ccache", 150.0, vec![Some(0.5), Some(1.0)]),
        ("header changed", "e: Warmwheel", 90.0, vec![Some(0.3), Some(0.6)]),
        ("rarer header", "b: ccache", 120.0, vec![Some(0.4), Some(1.0)]),
        ("rarer header", "f: Warmwheel", 30.0, vec![Some(0.1), Some(0.25)]),
        ("direct hits", "d: Warmwheel", 100.0, vec![None, None]),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn the_limits_are_those_of_the_large_package() {
    let not_kept = |package, by_hand, warmwheel| {
        let rows = compared(package, &rounds(by_hand, warmwheel));
        let broken = rows.into_iter().filter(|row| !row.is_kept());
        broken.map(|row| row.command).collect::<Vec<_>>()
    };
    let by_hand = [150.0, 60.0, 100.0, 80.0];
    let large = |warmwheel| not_kept(Sample::AwkwardCpp, by_hand, warmwheel);
    assert!(large([83.9, 20.9, 49.9, 39.9]).is_empty());
    assert_eq!(large([84.1, 20.9, 49.9, 39.9]), ["c: Warmwheel"]);
    assert_eq!(large([83.9, 21.1, 50.1, 39.9]), ["d: Warmwheel", "e: Warmwheel"]);
    assert_eq!(large([83.9, 20.9, 49.9, 40.1]), ["f: Warmwheel"]);
    let slower = [100.0, 60.0, 100.0, 80.0];
    assert_eq!(not_kept(Sample::AwkwardCpp, slower, [71.0, 20.9, 49.9, 39.9]), ["c: Warmwheel"]);
    assert!(not_kept(Sample::Demo, by_hand, [300.0; 4]).is_empty());
}

#[test]
fn one_compilation_that_is_no_direct_hit_is_seen() {
    let mut rounds = rounds([1.0; 4], [1.0; 4]);
    let warm =
        rounds[1].iter_mut().find(|it| (it.rival, it.scene) == (Rival::Warmwheel, Scene::Warm));
    warm.unwrap().counts = Some(Counts { direct: 59, preprocessed: 1, ..Counts::default() });
    let rows = compared(Sample::Demo, &rounds);
    let broken: Vec<_> = rows.iter().filter(|row| !row.is_kept()).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!((broken[0].scene.as_str(), broken[0].unit), ("direct hits", Unit::Percent));
}

#[test]
fn times_are_told_apart_in_the_order_of_the_letters() {
    let rounds = rounds([1.0; 4], [1.0; 4]);
    let words = |package: Sample| -> Vec<_> {
        spendings(&package.facts(), &rounds[0]).into_iter().map(|it| it.run).collect()
    };
    let of_both = ["a", "b cold", "b warm", "b header", "c", "d", "e"];
    assert_eq!(words(Sample::Demo), of_both);
    let large = ["a", "b cold", "b warm", "b header", "b rarer", "c", "d", "e", "f"];
    assert_eq!(words(Sample::AwkwardCpp), large);
}

#[test]
fn nobody_always_comes_first() {
    let firsts: Vec<_> = (0..3).map(|round| order(round)[0]).collect();
    assert_eq!(firsts, Rival::ALL);
}

#[test]
fn a_wheel_for_each_version_and_no_other() {
    let wheels = |tags: &[&str]| -> Vec<String> {
        tags.iter().map(|tag| format!("x-1-{tag}-{tag}-manylinux_2_17_x86_64.whl")).collect()
    };
    assert!(are_wheels_of_all(&wheels(&["cp313", "cp310", "cp311", "cp312"])));
    for tags in [
        &["cp310", "cp311", "cp312"][..],
        &["cp310", "cp311", "cp312", "cp312"],
        &["cp310", "cp311", "cp312", "cp313", "cp314"],
    ] {
        assert!(!are_wheels_of_all(&wheels(tags)), "{tags:?}");
    }
    assert_eq!(identifiers("x86_64")[3], "cp313-manylinux_x86_64");
}

//! Places on other disks, in volumes and layers, and on disks that are full or lose their power: no model is lost.
//!
//! `STRESS_ROUNDS=100` repeats the rounds of the slow test as often.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{assert_whole, copy, golden, rounds, text};
use tempfile::TempDir;

/// Runs a script with mounts of its own, as an ordinary user may on Linux; `None` where that is not
/// allowed.
fn with_mounts(directory: &Path, script: &str) -> Option<std::process::Output> {
    let unshare = |how: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(how).args(["--mount", "sh", "-ec"]).current_dir(directory);
        command
    };
    let allowed = |how: &[&str]| {
        let tried = unshare(how).arg("mount -t tmpfs tmpfs .").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let ways: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    let Some(how) = ways.into_iter().find(|how| allowed(how)) else {
        eprintln!("skipped: mounts are not allowed here");
        return None;
    };
    let program = env!("CARGO_BIN_EXE_finetune");
    Some(unshare(how).arg(script).args(["sh", program]).output().unwrap())
}

#[test]
fn a_mount_point_is_written_inside() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("out")).unwrap();
    let base = golden("bert");
    let script = format!(
        "mount -t tmpfs tmpfs out; mkdir out/lost+found; \
         ( while [ ! -s log ]; do sleep 0.01; done; echo dear > out/letter ) & \
         ! \"$1\" --model {base} --steps 300 --no-report --out out --log log 2> error; wait; \
         grep -q 'it is saved in out/out.saved instead' error; \
         \"$1\" encode --model out/out.saved lines > /dev/null; rm -r out/letter out/out.saved; \
         for i in 1 2; do \"$1\" --model {base} --steps 1 --no-report --out out --force; done; \
         \"$1\" encode --model out lines >/dev/null; ls -A out",
        base = base.display()
    );
    fs::write(directory.path().join("lines"), "the cat\n").unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.ends_with("tokenizer_config.json\ntraining.json\n"), "{printed}");
    assert!(printed.contains("\nlost+found\n") && !printed.contains(".partial"), "{printed}");
}

#[test]
fn a_volume_of_the_same_disk_is_written_inside() {
    let directory = TempDir::new().unwrap();
    for name in ["volume", "out"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    let script = format!(
        "mount --bind volume out; \
         for i in 1 2; do \"$1\" --model {} --steps 1 --no-report --out out --force; done; ls volume",
        golden("bert").display()
    );
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.ends_with("tokenizer_config.json\ntraining.json\n"), "{printed}");
}

/// A directory has other paths where it is mounted twice.
#[test]
fn a_place_with_several_paths_is_written_by_one_run_at_a_time() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "for name in volume one two; do mkdir $name; done; \
         for name in one two; do mount --bind volume $name; done; \
         program=$1; run() {{ \"$program\" --model {base} --no-report --force \"$@\"; }}; \
         for first in one volume; do \
             \"$1\" --model {base} --no-report --force --epochs 9000 --out $first --log $first.log & run=$!; \
             trap \"kill -9 $run\" EXIT; \
             while [ ! -s $first.log ]; do sleep 0.01; done; \
             for second in one two volume; do \
                 code=0; run --steps 1 --out $second 2> error || code=$?; cat error >&2; [ $code = 2 ]; \
                 grep -q 'is writing it; wait until it ends' error; \
             done; \
             kill -9 $run; wait $run || true; trap - EXIT; \
             run --steps 1 --out two; \
         done; \
         ls -A . volume",
        base = base.display()
    );
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let rest = "\nvolume.log\n\nvolume:\n";
    let (_, listed) = printed.split_once(rest).unwrap_or_else(|| panic!("{printed}"));
    assert!(listed.lines().all(|name| !name.starts_with('.')), "{listed}");
}

/// As in a container with a volume, which has nothing else that can be written.
#[test]
fn nothing_beside_a_volume_needs_to_be_written() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "mkdir all; mount -t tmpfs tmpfs all; mkdir all/out; mount -t tmpfs tmpfs all/out; \
         mount -o remount,ro all; \
         program=$1; run() {{ \"$program\" --model {base} --steps 9 --no-report \"$@\"; }}; \
         for i in 1 2; do run --out all/out --force; done; \
         \"$1\" encode --model all/out lines > /dev/null; ls -A all/out; \
         rm -r all/out/*; run --out all/out/model --checkpoint-steps 3 > /dev/null; \
         ls -A all all/out; rm -r all/out/*; \
         code=0; run --out all/out --checkpoint-steps 3 2> error || code=$?; cat error >&2; \
         [ $code = 2 ]; [ $(wc -l < error) = 1 ]; [ -z \"$(ls -A all/out)\" ]",
        base = base.display()
    );
    fs::write(directory.path().join("lines"), "the cat\n").unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    let (printed, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{error}");
    assert!(printed.contains("\ntraining.json\nall:\nout\n\nall/out:\nmodel\n"), "{printed}");
    assert!(!printed.contains(".saved-model"), "{printed}");
    let expected = "error: cannot write all/out.checkpoint: Read-only file system (os error 30); checkpoints \
                    go beside --out: choose a place in this directory, as --out all/out/model\n";
    assert!(error.ends_with(expected), "{error}");
}

/// The texts of the data are larger than what is kept in memory.
#[test]
fn large_texts_go_into_the_volume_of_the_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "mkdir all; mount -t tmpfs tmpfs all; mkdir all/out; mount -t tmpfs tmpfs all/out; \
         mount -o remount,ro all; \
         \"$1\" --model {base} --data train.jsonl --loss MultipleNegativesRankingLoss --steps 1 --max-rows 8 \
             --no-report --out all/out > /dev/null",
        base = base.display()
    );
    let long = "the cat sits on the mat. ".repeat(80_000);
    let row = |row| format!("{{\"anchor\":\"{row}\",\"positive\":\"{row} {long}\"}}\n");
    fs::write(directory.path().join("train.jsonl"), (0..40).map(row).collect::<String>()).unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_model_in_a_lower_layer_is_replaced() {
    let directory = TempDir::new().unwrap();
    for name in ["lower", "upper", "work", "all"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    copy(&golden("bert"), &directory.path().join("lower/model"));
    fs::remove_file(directory.path().join("lower/model/expected.json")).unwrap();
    let base = golden("bert");
    let script = format!(
        "mount -t tmpfs tmpfs work; mkdir work/upper work/work; \
         mount -t overlay overlay -o lowerdir=lower,upperdir=work/upper,workdir=work/work all; \
         \"$1\" --model {base} --steps 1 --no-report --out all/model --force; \
         \"$1\" encode --model all/model lines >/dev/null; ls -A all; ls all/model",
        base = base.display()
    );
    fs::write(directory.path().join("lines"), "the cat\n").unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("saved to all/model\n"), "{printed}");
    assert!(
        printed.contains("\nmodel\nREADME.md\n") || printed.contains("model\n1_Pooling\n"),
        "{printed}"
    );
    assert!(printed.ends_with("training.json\n"), "{printed}");
}

/// The texts of the data are larger than what is kept in memory, and than the disk.
#[test]
fn a_disk_too_small_for_the_texts_is_named() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "mkdir disk; mount -t tmpfs -o size=1m tmpfs disk; code=0; \
         \"$1\" --model {base} --data train.jsonl --loss MultipleNegativesRankingLoss --out disk/model 2> error || code=$?; \
         cat error >&2; [ $code = 2 ]; ls -A disk",
        base = base.display()
    );
    let long = "the cat sits on the mat. ".repeat(80_000);
    let row = |row| format!("{{\"anchor\":\"{row}\",\"positive\":\"{row} {long}\"}}\n");
    fs::write(directory.path().join("train.jsonl"), (0..40).map(row).collect::<String>()).unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    let error = text(&output.stderr);
    assert!(output.status.success(), "{error}");
    let expected = "error: cannot write disk: the texts of the data, in a temporary file: No space left on device";
    assert!(error.contains(expected) && error.ends_with("or choose another place\n"), "{error}");
    assert_eq!(text(&output.stdout), "");
}

/// A disk with room for the weights, but not for the report, as the only place and as a mount point.
#[test]
fn a_report_that_does_not_fit_on_the_disk_loses_no_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "run() {{ \"$1\" --model {base} --steps 20 --out $2 --log log; }}; \
         run \"$1\" whole > /dev/null; grep -q finetuned whole/README.md; \
         rm -r whole/report whole/README.md whole/training.json; \
         size=$(( $(find whole -type f -exec du -k {{}} + | awk '{{ sum += $1 }} END {{ print sum }}') + 8 )); \
         for out in disk/model disk; do \
             rm -rf disk; mkdir disk; mount -t tmpfs -o size=${{size}}k tmpfs disk; \
             code=0; run \"$1\" $out > printed 2> error || code=$?; cat error >&2; [ $code = 2 ]; \
             grep -q \"^error: the model is saved in $out, but something else is not: \" error; \
             grep -q \"cannot write $out/report/index.html: No space left on device\" error; \
             [ ! -e $out/report ]; \"$1\" encode --model $out lines >/dev/null; umount disk; \
         done; ls -A",
        base = base.display()
    );
    fs::write(directory.path().join("lines"), "the cat\n").unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_log_that_does_not_fit_on_the_disk_loses_no_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let base = base.display();
    let script = format!(
        "mkdir disk; mount -t tmpfs -o size=4k tmpfs disk; \
         exec \"$1\" --model {base} --steps 90 --out model --log disk/log --no-report"
    );
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    let full = "cannot write disk/log: No space left on device (os error 28)";
    let warning = format!("warning: {full}; the training goes on without");
    assert_eq!(error.matches(&warning).count(), 1, "{error}");
    let last = format!("error: the model is saved in model, but something else is not: {full}\n");
    assert!(error.ends_with(&last), "{error}");
    assert_whole(&directory.path().join("model"), "without a log");
}

/// The disk is filled while the run trains.
#[test]
fn a_model_without_room_is_in_the_checkpoint() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "mkdir disk; mount -t tmpfs -o size=16m tmpfs disk; \
         run() {{ \"$1\" --model {base} --epochs 90 --checkpoint-steps 90 --no-report --out disk/model $2; }}; \
         ( while [ ! -e disk/model.checkpoint ]; do sleep 0.01; done; \
           while [ ! -e over ]; do cat /dev/zero 2> /dev/null >> disk/filler || sleep 0.01; done ) & \
         code=0; run \"$1\" 2> error || code=$?; touch over; wait; cat error >&2; [ $code = 2 ]; \
         ls -A disk; rm disk/filler; run \"$1\" --resume 2> /dev/null; ls -A disk",
        base = base.display()
    );
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    let (printed, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{error}");
    let error = error.lines().last().unwrap();
    assert!(error.starts_with("error: cannot write disk/"), "{error}");
    let rest = "No space left on device (os error 28); disk/model.checkpoint has the state of this run \
                after step ";
    assert!(error.contains(rest), "{error}");
    let way_out = ": make room or mend the fault, then run the same command with --resume";
    assert!(error.ends_with(way_out), "{error}");
    assert!(printed.contains("\nfiller\nmodel.checkpoint\n"), "{printed}");
    assert!(printed.contains("going on after step "), "{printed}");
    assert!(printed.ends_with("saved to disk/model\nmodel\n"), "{printed}");
}

/// What a disk holds when the power goes: at any moment of a run a whole model, after it the new one. The image of a
/// mounted disk is copied twice, until nothing was written in between; only root may mount it.
#[test]
fn a_power_cut_at_any_moment_leaves_a_whole_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let script = format!(
        "truncate -s 24M disk; mkfs.ext4 -q disk; mkdir at cut; \
         if ! mount -o loop disk at; then echo skipped; exit; fi; \
         program=$1; run() {{ \"$program\" --model {base} --no-report --batch-size 8 --out at/model \"$@\"; }}; \
         cut() {{ while cp disk image; sleep 0.02; ! cmp -s disk image; do :; done; mount -o loop image cut; \
             \"$program\" encode --model cut/model lines > /dev/null; \"$@\"; umount cut; }}; \
         run --steps 1 > /dev/null; cut diff -r at/model cut/model; \
         for round in $(seq {rounds}); do \
             run --steps 30 --checkpoint-steps 4 --force --seed $round > /dev/null & run=$!; \
             sleep 0.$(( 13 + round * 7 % 87 )); kill -STOP $run 2> error || true; cut true; \
             kill -CONT $run 2> error || true; wait $run; cut diff -r at/model cut/model; \
         done; ls -A cut at",
        base = base.display(),
        rounds = rounds(3)
    );
    fs::write(directory.path().join("lines"), "the cat\n").unwrap();
    let Some(output) = with_mounts(directory.path(), &script) else { return };
    let (printed, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{error}");
    if printed.starts_with("skipped") {
        eprintln!("skipped: disks cannot be mounted here: {error}");
        return;
    }
    assert!(printed.ends_with("at:\nlost+found\nmodel\n\ncut:\n"), "{printed}");
}

//! What the suite of all devices can't ask: of problems that are larger than its own, of an adapter with less than this one has, of
//! submissions, of an adapter that fails.

use crate::adapter::{Sort, Unavailable};
use crate::engine::Engine;
use crate::skipping;
use crate::solver::Gpu;
use firelane_kernels::ising::device::{Device, Fault, Polled};
use firelane_kernels::ising::job::{Algorithm, Answer, Job, MOST_STEPS, Spins, Stopped};
use firelane_kernels::ising::philox::philox4x32;
use firelane_kernels::ising::problem::{Meaning, Pair, Problem};
use firelane_kernels::ising::twin::{Path, Software};
use std::sync::Arc;
use std::time::Duration;

fn gpu() -> Option<Gpu> {
    match Gpu::open(None) {
        Err(Unavailable::Nothing) => {
            skipping::skip(&Unavailable::Nothing.to_string());
            None
        }
        opened => Some(opened.unwrap()),
    }
}

/// The same, with this done to what it stands on.
fn gpu_with(change: impl FnOnce(&mut Engine)) -> Option<Gpu> {
    let mut gpu = gpu()?;
    change(gpu.idle().unwrap());
    Some(gpu)
}

fn algorithms() -> [Algorithm; 3] {
    ["dsb", "bsb", "sa"].map(|name| Algorithm::of(name).unwrap())
}

/// So many sites, each coupled to so many others by `size` at most; of one size if there are no fields.
fn random(sites: u32, each: u32, size: i32, fields: i32) -> Arc<Problem> {
    let draw = |i: u32, j: u32| philox4x32([i, j, 0, 9], [7, 7]);
    let among = |word: u32, most: i32| ((u64::from(word) * (2 * most as u64 + 1)) >> 32) as i32 - most;
    let coupling = |word: u32| match fields {
        0 => [size, -size][word as usize % 2],
        _ => among(word, size),
    };
    let pairs: Vec<Pair> = (0..sites)
        .flat_map(|i| (0..each / 2).map(move |j| (i, j)))
        .map(|(i, j)| (i, draw(i, j)))
        .map(|(i, [to, word, ..])| Pair { i, j: (i + 1 + to % (sites - 1)) % sites, coupling: coupling(word) })
        .collect();
    let fields: Vec<i32> = (0..sites).map(|site| among(draw(site, u32::MAX)[2], fields)).collect();
    Arc::new(Problem::new(sites as usize, &pairs, &fields, Meaning::Ising).unwrap())
}

/// Every site coupled to every other.
fn complete(sites: u32, size: i32) -> Arc<Problem> {
    let sign = |i: u32, j: u32| if philox4x32([i, j, 1, 9], [7, 7])[0].is_multiple_of(2) { size } else { -size };
    let pairs: Vec<Pair> = (0..sites).flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling: sign(i, j) })).collect();
    Arc::new(Problem::new(sites as usize, &pairs, &[], Meaning::Ising).unwrap())
}

type Bits = Vec<(Spins, i64, u32, Option<u32>)>;

fn bits(answer: &Answer) -> Bits {
    let of = |replica: &firelane_kernels::ising::job::Replica| {
        (replica.spins.clone(), replica.energy, replica.best.step, replica.target.map(|seen| seen.step))
    };
    answer.replicas.iter().map(of).collect()
}

#[track_caller]
fn assert_specified(gpu: &mut Gpu, problem: &Arc<Problem>, job: Job) {
    let mut twin = Software::on(Path::Scalar).unwrap();
    twin.load(problem).unwrap();
    let mut job = Job { target: None, ..job };
    // What about half of the replicas reach.
    let wanted = twin.solve(&job).unwrap();
    job.target = Some(wanted.replicas[wanted.replicas.len() / 2].energy);
    let wanted = twin.solve(&job).unwrap();
    gpu.load(problem).unwrap();
    let answer = gpu.solve(&job).unwrap();
    let name = job.algorithm.name();
    assert_eq!(answer.stopped, Stopped::Done);
    assert!(bits(&answer) == bits(&wanted), "{name} of {} sites, {} replicas", problem.sites(), job.replicas);
    assert!(
        answer.trajectory.windows(2).all(|two| two[1].energy < two[0].energy && two[1].seen.after >= two[0].seen.after)
    );
    assert_eq!(answer.trajectory.last().map(|last| last.energy), answer.best().map(|best| best.energy));
}

#[test]
fn energies_are_right_beyond_32_bits_and_couplings_at_their_strongest() {
    let Some(mut gpu) = gpu() else { return };
    let most = (1 << 30) - 1;
    let two = |coupling| Problem::new(2, &[Pair { i: 0, j: 1, coupling }], &[], Meaning::Ising).unwrap();
    let field = Problem::new(1, &[], &[-most], Meaning::Ising).unwrap();
    let large = complete(300, 1 << 21);
    assert!(large.energy(&[1; 300]).abs() < 1 << 31, "what is summed up is large, and not what it begins with");
    for problem in [large, Arc::new(two(most)), Arc::new(two(-most)), Arc::new(field)] {
        for algorithm in algorithms() {
            assert_specified(&mut gpu, &problem, Job { look_every: 3, ..Job::new(algorithm, 20, 5, 3) });
        }
    }
}

#[test]
fn replicas_that_no_workgroup_has_room_for_are_held_elsewhere() {
    // More than 32 KiB are for.
    let large = random(5_000, 6, 3, 9);
    let small = [random(97, 8, 1, 0), complete(70, 1), random(40, 20, 1 << 20, 1 << 20), complete(33, 3)];
    let Some(mut gpu) = gpu() else { return };
    for algorithm in &algorithms()[..2] {
        assert_specified(&mut gpu, &large, Job { look_every: 2, ..Job::new(*algorithm, 7, 3, 1) });
    }
    let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_compute_workgroup_storage_size = 1_000) else {
        return;
    };
    for problem in small {
        for algorithm in &algorithms()[..2] {
            assert_specified(&mut gpu, &problem, Job { look_every: 3, ..Job::new(*algorithm, 31, 9, 2) });
        }
    }
}

#[test]
fn replicas_that_do_not_fit_at_once_are_done_in_groups() {
    let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_compute_workgroups_per_dimension = 2) else { return };
    for problem in [random(97, 8, 3, 9), complete(40, 1)] {
        for algorithm in algorithms() {
            assert_specified(&mut gpu, &problem, Job { first: 5, ..Job::new(algorithm, 12, 131, 4) });
        }
    }
    let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_storage_buffer_binding_size = 4 * 4_000) else {
        return;
    };
    for algorithm in algorithms() {
        assert_specified(&mut gpu, &random(97, 8, 3, 9), Job::new(algorithm, 12, 150, 4));
    }
}

#[test]
fn fewer_threads_are_as_good() {
    for threads in [1, 2, 48] {
        let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_compute_invocations_per_workgroup = threads)
        else {
            return;
        };
        for problem in [random(70, 8, 3, 9), complete(40, 1)] {
            for algorithm in algorithms() {
                assert_specified(&mut gpu, &problem, Job { look_every: 3, ..Job::new(algorithm, 8, 5, 6) });
            }
        }
    }
}

#[test]
fn a_job_is_one_submission_and_a_long_one_is_cut_without_a_trace() {
    let Some(mut gpu) = gpu() else { return };
    let small = random(60, 6, 3, 9);
    for algorithm in algorithms() {
        gpu.load(&small).unwrap();
        let job = Job::new(algorithm, 20, 40, 8);
        gpu.solve(&job).unwrap();
        gpu.idle().unwrap().host.hurry();
        let before = gpu.idle().unwrap().host.submissions;
        gpu.solve(&job).unwrap();
        assert_eq!(gpu.idle().unwrap().host.submissions - before, 1, "{}", algorithm.name());
    }
    // Three steps at once: cuts before, at and behind looks, and after odd and even steps.
    let Some(mut gpu) = gpu_with(|engine| engine.at_once = 3) else { return };
    for problem in [random(97, 8, 3, 9), complete(70, 1)] {
        for algorithm in algorithms() {
            let before = gpu.idle().unwrap().host.submissions;
            assert_specified(&mut gpu, &problem, Job { look_every: 7, ..Job::new(algorithm, 40, 6, 5) });
            assert!(gpu.idle().unwrap().host.submissions - before >= 14, "{}", algorithm.name());
        }
    }
    let Some(mut gpu) = gpu_with(|engine| {
        engine.at_once = 3;
        engine.host.limits.max_compute_workgroup_storage_size = 1_000;
    }) else {
        return;
    };
    for algorithm in &algorithms()[..2] {
        assert_specified(&mut gpu, &random(97, 8, 3, 9), Job { look_every: 7, ..Job::new(*algorithm, 40, 6, 5) });
    }
}

#[test]
fn what_is_stopped_before_its_first_look_is_looked_at() {
    let Some(mut gpu) = gpu() else { return };
    let problem = random(97, 8, 3, 9);
    gpu.load(&problem).unwrap();
    for algorithm in algorithms() {
        let long = Job { look_every: MOST_STEPS, ..Job::new(algorithm, MOST_STEPS, 4, 1) };
        gpu.submit(&long).unwrap();
        let answer = loop {
            match gpu.poll().unwrap() {
                Polled::Running(progress) if progress.done > 0.0 => gpu.cancel().unwrap(),
                Polled::Running(_) => std::thread::yield_now(),
                Polled::Answered(answer) => break answer,
            }
        };
        assert_eq!((answer.stopped, answer.replicas.len()), (Stopped::Cancelled, 4));
        for replica in &answer.replicas {
            assert_eq!(problem.energy(&replica.spins.signs()), replica.energy);
            assert!(replica.best.step > 0 && replica.best.step < MOST_STEPS);
        }
        let none = gpu.solve(&Job { deadline: Some(Duration::ZERO), ..long }).unwrap();
        assert_eq!((none.stopped, none.replicas.len()), (Stopped::Deadline, 0));
    }
}

#[test]
fn a_job_that_nobody_fetches_ends_with_its_device() {
    let Some(mut gpu) = gpu() else { return };
    gpu.load(&random(97, 8, 3, 9)).unwrap();
    gpu.submit(&Job::new(algorithms()[0], MOST_STEPS, 4, 1)).unwrap();
    assert!(matches!(gpu.poll(), Ok(Polled::Running(_))));
    drop(gpu);
}

#[test]
fn a_problem_that_an_adapter_can_not_hold_is_refused_and_changes_nothing() {
    let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_storage_buffer_binding_size = 4 * 128 * 30) else {
        return;
    };
    let star = |leaves: u32| {
        let pairs: Vec<Pair> = (1..=leaves).map(|j| Pair { i: 0, j, coupling: 1 }).collect();
        Arc::new(Problem::new(leaves as usize + 1, &pairs, &[], Meaning::Ising).unwrap())
    };
    // Of slices of 32 sites: the hub's has as many places for each, and the next three have four.
    let job = Job::new(algorithms()[0], 10, 3, 1);
    for leaves in [107, 108] {
        assert_specified(&mut gpu, &star(leaves), job);
    }
    let before = bits(&gpu.solve(&job).unwrap());
    let refused = gpu.load(&star(109)).unwrap_err();
    let Fault::TooLarge { has, most, .. } = refused else { panic!("{refused}") };
    assert_eq!((has, most), (32 * 112 + 3 * 32 * 4, 128 * 30));
    assert_eq!(bits(&gpu.solve(&job).unwrap()), before, "the problem before is still there");
}

#[test]
fn a_sweep_that_a_software_adapter_would_break_off_is_refused() {
    let Some(mut gpu) = gpu_with(|engine| engine.sort = Sort::Software) else { return };
    let dense = complete(500, 1);
    gpu.load(&dense).unwrap();
    let job = Job { look_every: 1, ..Job::new(algorithms()[2], 2, 2, 1) };
    assert!(
        matches!(gpu.submit(&job), Err(Fault::TooLarge { has: 128_641, most: 49_149, .. })),
        "{:?}",
        gpu.submit(&job)
    );
    assert_eq!(gpu.poll(), Err(Fault::Nothing));
    // Bits are followed 32 at a turn.
    assert_specified(&mut gpu, &dense, Job::new(algorithms()[0], 4, 2, 1));
}

/// As long as they can be, that is: what is reckoned in `turns.rs` is no less than what the adapter counts.
#[test]
fn submissions_to_a_software_adapter_end_before_its_loops_do() {
    let Some(mut gpu) = gpu_with(|engine| engine.host.limits.max_compute_invocations_per_workgroup = 32) else {
        return;
    };
    let (sparse, dense) = (random(300, 20, 3, 9), complete(300, 1));
    let each = [("dsb", &sparse, 1_400), ("bsb", &sparse, 1_400), ("dsb", &dense, 900), ("sa", &dense, 12)];
    for (name, problem, steps) in each {
        for look_every in [1, 1_000] {
            let job = Job { look_every, ..Job::new(Algorithm::of(name).unwrap(), steps, 2, 7) };
            gpu.load(problem).unwrap();
            gpu.solve(&Job { steps: 1, ..job }).unwrap();
            gpu.idle().unwrap().host.hurry();
            assert_specified(&mut gpu, problem, job);
        }
    }
}

#[test]
fn what_is_asked_wrongly_of_wgpu_is_an_error_and_no_end() {
    let Some(mut gpu) = gpu() else { return };
    let problem = random(40, 6, 3, 9);
    gpu.load(&problem).unwrap();
    let most = gpu.idle().unwrap().host.limits.max_buffer_size;
    let refused = gpu.idle().unwrap().host.buffer(most + 4, wgpu::BufferUsages::STORAGE).unwrap_err();
    assert!(refused.0.contains("asked wrongly"), "{}", refused.0);
    assert_specified(&mut gpu, &problem, Job::new(algorithms()[1], 10, 3, 1));
}

#[test]
fn an_adapter_that_is_lost_says_so_and_stays_lost() {
    let Some(mut gpu) = gpu() else { return };
    let problem = random(40, 6, 3, 9);
    gpu.load(&problem).unwrap();
    gpu.idle().unwrap().host.lose();
    let job = Job::new(algorithms()[0], 10, 3, 1);
    for _ in 0..2 {
        let lost = gpu.solve(&job).unwrap_err();
        assert!(lost.to_string().contains("lost") && lost.to_string().contains("open it again"), "{lost}");
    }
    assert!(gpu.load(&problem).is_err());
    gpu.submit(&job).unwrap();
    let lost = loop {
        match gpu.poll() {
            Ok(Polled::Running(_)) => std::thread::yield_now(),
            other => break other,
        }
    };
    assert!(matches!(&lost, Err(Fault::Device(text)) if text.contains("lost")), "{lost:?}");
    assert_eq!(gpu.poll(), Err(Fault::Nothing));
}

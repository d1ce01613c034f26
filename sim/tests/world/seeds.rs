//! Seed by seed.

use super::rig::Run;
use firelane_sim::net::Faults;

#[test]
fn without_faults_both_sides_agree() {
    for seed in 0..4 {
        let run = Run { faults: Faults::None, ..Run::heavy(seed) };
        let world = run.go(None).unwrap();
        eprintln!("{run:?} {:?} {:?}", world.tape().counts(), world.stats());
        let refused: Vec<_> = firelane_gateway::flow::risk::Refusal::ALL
            .iter()
            .map(|r| (*r, world.lane().gate().refused(*r)))
            .filter(|(_, n)| *n > 0)
            .collect();
        eprintln!("{refused:?} {:?}", world.lane().core_counters());
    }
}

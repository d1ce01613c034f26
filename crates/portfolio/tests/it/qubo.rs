//! The penalty QUBO: its least state is the best choice, and its text reads back.

use crate::made;
use firelane_portfolio::equal::Choice;
use firelane_portfolio::qubo::{Qubo, exact_penalty};

#[test]
fn with_the_exact_penalty_the_least_state_is_the_best_choice() {
    for seed in 1..=20 {
        let names = 11;
        let universe = made::drawn(names, &made::values(seed, 128));
        for (count, lambda) in [(1, 0.0), (3, 0.5), (4, 0.9), (10, 1.0), (11, 0.3)] {
            let choice = Choice::new(&universe, count, lambda).unwrap();
            let qubo = Qubo::new(&choice, None);
            assert_eq!(qubo.penalty(), exact_penalty(&choice));
            let state = |mask: u32| -> Vec<bool> { (0..names).map(|i| mask >> i & 1 == 1).collect() };
            let mut least = (f64::INFINITY, 0);
            for mask in 0..1u32 << names {
                let energy = qubo.energy(&state(mask));
                if mask.count_ones() as usize == count {
                    let support: Vec<usize> = (0..names).filter(|i| mask >> i & 1 == 1).collect();
                    let objective = choice.objective_of(&support);
                    assert!((energy + qubo.offset() - objective).abs() < 1e-14, "{energy} {objective}");
                }
                if energy < least.0 {
                    least = (energy, mask);
                }
            }
            assert_eq!(least.1.count_ones() as usize, count, "seed {seed}, {count} at {lambda}");
        }
    }
}

#[test]
fn its_text_reads_back() {
    let universe = made::drawn(6, &made::values(2, 64));
    let qubo = Qubo::new(&Choice::new(&universe, 2, 0.7).unwrap(), Some(0.25));
    let mut text = Vec::new();
    qubo.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("# offset 1 penalty 0.25\n"));
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("6"));
    let mut written = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let (i, j): (usize, usize) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        assert!(words.len() == 3 && i <= j && j < 6);
        written.push((i, j, words[2].parse::<f64>().unwrap()));
    }
    assert_eq!(written, qubo.terms().collect::<Vec<_>>());
    assert_eq!(written.len(), 21);
}

//! Agents: pieces of work with a duty cycle, called again and again by a thread, or by a test.

use std::error::Error;

/// Why an agent cannot go on.
pub type AgentError = Box<dyn Error + Send + Sync>;

/// A piece of work that a thread calls again and again: its duty cycle. Which thread, and whether it has it for itself,
/// is configuration; tests call it themselves.
pub trait Agent: Send {
    /// Its name in thread lists and reports.
    fn name(&self) -> &'static str;

    /// One duty cycle: whatever can be done without waiting. Answers how much was done; 0 lets the thread idle.
    ///
    /// # Errors
    /// It cannot go on.
    fn do_work(&mut self) -> Result<usize, AgentError>;

    /// Called once, after the last duty cycle.
    fn on_close(&mut self) {}
}

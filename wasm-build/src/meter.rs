//! Instruments a wasm module to count the instructions that it executes. The count does not depend on the machine or its
//! load, so a longer path is not mistaken for noise.

use anyhow::Result;
use walrus::ir::{BinaryOp, Binop, Const, GlobalGet, GlobalSet, Instr, InstrLocId, InstrSeq};
use walrus::ir::{InstrSeqId, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, GlobalId, LocalFunction, Module, ValType};

/// The name of the exported counter, a 64-bit global.
const COUNT: &str = "instructions";

/// Writes an instrumented copy.
pub fn meter(wasm: &str, out: &str) -> Result<()> {
    let mut module = Module::from_file(wasm)?;
    let zero = ConstExpr::Value(Value::I64(0));
    let count = module.globals.add_local(ValType::I64, true, false, zero);
    module.exports.add(COUNT, count);
    for (_, function) in module.funcs.iter_local_mut() {
        for sequence in sequences(function) {
            let instructions = &mut function.block_mut(sequence).instrs;
            *instructions = counted(std::mem::take(instructions), count);
        }
    }
    module.emit_wasm_file(out)
}

/// The instruction sequences of a function: its body, and those of its blocks, loops and branches.
fn sequences(function: &LocalFunction) -> Vec<InstrSeqId> {
    struct Found(Vec<InstrSeqId>);
    impl<'a> Visitor<'a> for Found {
        fn start_instr_seq(&mut self, sequence: &'a InstrSeq) {
            self.0.push(sequence.id());
        }
    }
    let mut found = Found(Vec::new());
    dfs_in_order(&mut found, function, function.entry_block());
    found.0
}

type Located = (Instr, InstrLocId);

/// Inserts code before each basic block that adds the block's length to the count.
fn counted(instructions: Vec<Located>, count: GlobalId) -> Vec<Located> {
    let mut all = Vec::with_capacity(instructions.len());
    for block in instructions.chunk_by(|(before, _), _| !may_branch(before)) {
        all.extend(addition(count, block.len()).map(|added| (added, InstrLocId::default())));
        all.extend_from_slice(block);
    }
    all
}

/// Can control leave the sequence after this instruction?
fn may_branch(instruction: &Instr) -> bool {
    matches!(
        instruction,
        Instr::Block(_) | Instr::Loop(_) | Instr::IfElse(_) | Instr::BrIf(_) | Instr::Br(_)
    )
}

fn addition(count: GlobalId, length: usize) -> [Instr; 4] {
    [
        Instr::GlobalGet(GlobalGet { global: count }),
        Instr::Const(Const { value: Value::I64(length as i64) }),
        Instr::Binop(Binop { op: BinaryOp::I64Add }),
        Instr::GlobalSet(GlobalSet { global: count }),
    ]
}

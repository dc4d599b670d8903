//! A copy of a built wasm that counts the instructions it executes. The count is the same on every
//! machine, however busy, so that a path that became longer can be told from noise.

use anyhow::Result;
use walrus::ir::{BinaryOp, Binop, Const, GlobalGet, GlobalSet, Instr, InstrLocId, InstrSeq};
use walrus::ir::{InstrSeqId, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, GlobalId, LocalFunction, Module, ValType};

/// The exported global, a 64-bit integer.
const COUNT: &str = "instructions";

/// Writes the copy.
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

/// The sequences of a function: its body, and what its blocks, loops and branches hold.
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

/// Before each stretch that is executed as a whole, its length is added to the count.
fn counted(instructions: Vec<Located>, count: GlobalId) -> Vec<Located> {
    let mut all = Vec::with_capacity(instructions.len());
    for stretch in instructions.chunk_by(|(before, _), _| !may_leave(before)) {
        all.extend(addition(count, stretch.len()).map(|added| (added, InstrLocId::default())));
        all.extend_from_slice(stretch);
    }
    all
}

/// May the next instruction of the sequence be left out after this one?
fn may_leave(instruction: &Instr) -> bool {
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

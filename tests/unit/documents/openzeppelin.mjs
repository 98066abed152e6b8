// Reads {types, values} per line of standard input; writes {root, tree, proofs} per line as npm's library computes them.
import { createInterface } from "node:readline";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";

for await (const line of createInterface({ input: process.stdin })) {
  const { types, values } = JSON.parse(line);
  const made = StandardMerkleTree.of(values, types);
  const proofs = values.map((_, index) => made.getProof(index));
  console.log(JSON.stringify({ root: made.root, tree: made.dump().tree, proofs }));
}

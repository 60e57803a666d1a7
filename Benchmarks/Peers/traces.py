"""Recorded sessions, and who must have seen what before each part of them can be played."""

import json
import os
from dataclasses import dataclass

import zstandard

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def read(path):
    """A file's bytes, decompressed if it is a zstd frame."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(ZSTD_MAGIC):
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def name_of(path):
    return os.path.basename(path).split(".")[0]


@dataclass
class Transaction:
    agent: int
    parents: list
    patches: list


@dataclass
class Trace:
    name: str
    start: str
    end: str
    agents: int
    transactions: list

    @staticmethod
    def load(path):
        file = json.loads(read(path))
        concurrent = file.get("kind") == "concurrent"
        transactions = [
            Transaction(
                t["agent"] if concurrent else 0,
                t["parents"] if concurrent else ([index - 1] if index else []),
                t["patches"],
            )
            for index, t in enumerate(file["txns"])
        ]
        return Trace(
            name_of(path),
            file.get("startContent") or "",
            file["endContent"],
            file["numAgents"] if concurrent else 1,
            transactions,
        )

    @property
    def events(self):
        return sum(p[1] + len(p[2]) for t in self.transactions for p in t.patches)

    def arrivals(self):
        """Per transaction, the earlier ones of other agents that its agent must take in first, ascending."""
        known = [set() for _ in range(self.agents)]
        for index, transaction in enumerate(self.transactions):
            mine = known[transaction.agent]
            lacking, open_ends = set(), list(transaction.parents)
            while open_ends:
                other = open_ends.pop()
                if other not in mine and other not in lacking:
                    lacking.add(other)
                    open_ends += self.transactions[other].parents
            mine |= lacking
            mine.add(index)
            yield sorted(lacking)

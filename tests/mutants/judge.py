#!/usr/bin/env python3
"""Lets each mutant (mutate.py) live before its judges, and tells which of them nobody notices.

Judges are the unit tests of the mutant's own module, those of the others, kept and other lives of the delivery machine,
and the whole program's, where they are built. The first to fail, to be ended or to need ten times its time
has noticed. Nobody is asked who never comes to the place. A mutant that is not noticed has to be in survivors.txt
with the reason.

usage: judge.py [FILE...]    of these files alone, as retry or retry.c
Status 1 when less than 90 % are noticed, when one survives that is not in survivors.txt, or when that tells of one that
there is not. build/mutants/results.json has all."""

import concurrent.futures
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILT = TOP / "build" / "mutants"
UNIT = HERE.parent / "unit"  # whose tests find their files from there
SIMULATE = HERE.parent / "simulate"
SEEDS = {"simulate": SIMULATE / "seeds.txt", "program": SIMULATE / "program" / "seeds.txt"}
LIVES = {"simulate": "25000", "program": "500"}  # some ten seconds
LEAST = 0.9
WALL_SECONDS = 300  # a judge that waits for nothing


class Judge:
    """A program that is to end with status 0."""

    def __init__(self, name, kind, *call):
        self.name, self.kind, self.call = name, kind, [str(one) for one in call]
        self.seconds = 0
        self.reached = b""
        self.said = b""

    def run(self, mutant, **environment):
        """Returns (how it failed, or None; what it said)."""
        environment = {**os.environ, "MUTANT": str(mutant), **environment}
        with tempfile.TemporaryFile() as said:
            try:
                status = subprocess.run(self.call, env=environment, stdout=said, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL, cwd=UNIT, timeout=WALL_SECONDS, check=False).returncode
            except subprocess.TimeoutExpired:
                return "ends never", b""
            said.seek(0)
            return (None if status == 0 else self.ending(status)), said.read(4096)

    @staticmethod
    def ending(status):
        return {-4: "check", -8: "division", -9: "time", -24: "time"}.get(status, "signal" if status < 0 else "fails")

    def learn(self):
        """What it reaches and says, and how long it takes, without a mutant."""
        before = os.times()
        with tempfile.NamedTemporaryFile() as file:
            failed, self.said = self.run(0, MUTANTS_REACHED=file.name)
            self.reached = Path(file.name).read_bytes()
        after = os.times()
        self.seconds = after.children_user + after.children_system - before.children_user - before.children_system
        if failed or not self.reached:
            sys.exit(f"{self.name}: {failed or 'tells nothing'}, without any mutant")
        return self

    def notices(self, mutant):
        most = max(2, math.ceil(10 * self.seconds))
        return self.run(mutant, MUTANT_SECONDS=str(most))


def judges():
    """One after the other, so that their times can be told apart."""
    units = [Judge(path.name, "units", path).learn() for path in sorted(BUILT.glob("test_*")) if path.suffix == ""]
    units.sort(key=lambda judge: judge.seconds)
    lives = [Judge(f"{name} {what}", what, BUILT / name, *call).learn()
             for name in LIVES if (BUILT / name).exists()
             for what, call in (("kept lives", ("--seeds", SEEDS[name])), ("lives", ("--hash", "1", LIVES[name])))]
    return units, lives


def own_test(file, units):
    """The unit test of the module that the file is a part of: queue for queue_batch."""
    names = [judge.name.removeprefix("test_") for judge in units]
    fitting = [name for name in names if Path(file).stem == name or file.startswith(f"{name}_")]
    return f"test_{max(fitting, key=len)}" if fitting else None


def judge(mutant, units, lives):
    """Adds to a mutant who noticed it, or whether it gives orders of its own."""
    own = own_test(mutant["file"], units)
    mutant["by"], mutant["orders"] = None, "as before"
    mutant["reached"] = False
    for one in [*sorted(units, key=lambda unit: unit.name != own), *lives]:
        if not one.reached[mutant["number"]]:
            continue
        mutant["reached"] = True
        how, said = one.notices(mutant["number"])
        if how:
            mutant["by"] = "own unit test" if one.name == own else one.kind
            mutant["judge"], mutant["how"] = one.name, how
            break
        if one.kind == "lives" and said != one.said:
            mutant["orders"] = "others"
    return mutant


def explained():
    """survivors.txt: (file, function, line, change) of each, and its reason. Its head tells the form."""
    found = {}
    blocks = re.sub(r"(?m)^#.*\n", "", (HERE / "survivors.txt").read_text(encoding="utf-8")).split("\n\n")
    for block in filter(str.strip, blocks):
        lines = block.strip().split("\n")
        file, function = lines[0].split()
        reason = " ".join(line.strip() for line in lines[1:] if line.strip()[0] not in "|~")
        if not reason:
            sys.exit(f"survivors.txt: {lines[0]}: no reason")
        text = None
        for mark, rest in (line.strip().split(" ", 1) for line in lines[1:] if line.strip()[0] in "|~"):
            if mark == "|":
                text = rest
            else:
                found[file, function, text, rest] = reason
    return found


def key(mutant):
    return mutant["file"], mutant["function"], mutant["text"], mutant["change"]


def table(mutants):
    columns = ["own unit test", "units", "kept lives", "lives", None]
    print(f"{'file':<20}{'mutants':>8}{'noticed':>9}   by: {'own test':>8}{'others':>8}{'kept':>6}{'lives':>7}{'nobody':>8}")
    rows = defaultdict(Counter)
    for mutant in mutants:
        rows[mutant["file"]][mutant["by"]] += 1
    rows["all"] = sum(rows.values(), Counter())
    for file, by in rows.items():
        total = by.total()
        print(f"{file:<20}{total:>8}{100 * (total - by[None]) / total:>7.1f} %      "
              + "".join(f"{by[one]:>{width}}" for one, width in zip(columns, (8, 8, 6, 7, 8))))


def describe(mutant):
    reached = f"orders of the lives: {mutant['orders']}" if mutant["reached"] else "no judge comes here"
    print(f"{mutant['file']}:{mutant['line']} {mutant['function']} ({reached})\n    | {mutant['text']}\n    ~ {mutant['change']}")


def report(mutants, files):
    """Returns whether all is as it is to be."""
    reasons = {one: why for one, why in explained().items() if not files or one[0] in files}
    survivors = [mutant for mutant in mutants if not mutant["by"]]
    new = [mutant for mutant in survivors if key(mutant) not in reasons]
    known = {key(mutant) for mutant in mutants}
    surviving = {key(mutant) for mutant in survivors}
    for mutant in survivors:
        describe(mutant)
        print(f"    {reasons.get(key(mutant), 'NEW: not in survivors.txt')}")
    wrong = [one for one in reasons if one not in known]
    for one in reasons:
        if one not in surviving:
            print(f"survivors.txt: {'noticed now' if one in known else 'there is no such mutant'}: {' | '.join(one)}")
    table(mutants)
    share = 1 - len(survivors) / len(mutants)
    print(f"{len(mutants)} mutants, {100 * share:.1f} % noticed; {len(survivors)} survive, "
          f"{len(new)} of them without a reason in survivors.txt")
    return share >= LEAST and not new and not wrong


def main(names):
    mutants = json.loads((BUILT / "list.json").read_text(encoding="utf-8"))
    stems = {re.sub(r"\.[ch]$", "", Path(name).name) for name in names}
    unknown = stems - {Path(mutant["file"]).stem for mutant in mutants}
    if unknown:
        sys.exit(f"no mutants are made of {' '.join(sorted(unknown))}")
    mutants = [mutant for mutant in mutants if not stems or Path(mutant["file"]).stem in stems]
    units, lives = judges()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(lambda one: judge(one, units, lives), mutants), 1):
            if sys.stderr.isatty():
                print(f"\r{done} of {len(mutants)}", end="", file=sys.stderr)
    (BUILT / "results.json").write_text(json.dumps(mutants, indent=1), encoding="utf-8")
    return 0 if report(mutants, {mutant["file"] for mutant in mutants}) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""(gold, answer) in; correct or not out: one file per grader, one YAML each."""

"""(gold, answer) in; correct or not out: one file a grader, one YAML each."""

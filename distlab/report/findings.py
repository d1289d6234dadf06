"""StudyTables in; the report's questions out, each answered with what the intervals allow."""

from distlab.report.question import Finding
from distlab.report.questions.order import QUESTIONS
from distlab.report.table import StudyTables


def findings(study: StudyTables) -> tuple[Finding, ...]:
    """Every question, also those that this study cannot answer."""
    return tuple(
        Finding(
            name=question.name,
            question=question.asked(study),
            statements=tuple(question.statements(study)),
            charts=tuple(question.charts(study)),
            tables=tuple(table.as_text(study) for table in question.tables),
            terms=tuple((title, study.sides.named(text)) for title, text in question.terms),
            samples=question.samples,
        )
        for question in QUESTIONS
        if question.applies(study)
    )

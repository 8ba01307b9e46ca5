"""What bootstrap offers to workflow-server, and nothing more."""

import workflow_runtime.bootstrap as bootstrap


def test_the_names_are_these() -> None:
    assert bootstrap.__all__ == [
        "AI_INFER",
        "APP_SPECS",
        "EMAIL_SEND",
        "AiConfig",
        "EmailMessageDraft",
        "EmailSender",
        "Inference",
        "InferenceRequest",
        "InferenceService",
        "SmtpConfig",
        "app_actions",
        "parse_address",
    ]
    assert all(hasattr(bootstrap, name) for name in bootstrap.__all__)

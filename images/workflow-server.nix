# The application side: HTTP API, operator page, AI and e-mail actions. The only image that holds bootstrap.
{ at }:
let
  process = import ./process.nix { inherit at; port = "http"; };
in
process // {
  group = "workflow-server";
  packages = [
    "workflow_runtime.core"
    "workflow_runtime.store"
    "workflow_runtime.service"
    "workflow_runtime.bootstrap"
    "workflow_server"
  ];
  # No other image may hold these, whatever it declares.
  exclusive = [ "workflow_runtime.bootstrap" "workflow_server" ];
  program.python = "workflow_server";

  # Runs inside Temporal workflow code: no clock, randomness, I/O, threads or environment of its own.
  workflowCode = [ "workflow_runtime.core" ];

  owns.queues = [ "workflow-app-actions" ];

  ports.http = 8080;
  directories.secrets = "WORKFLOW_SECRETS_DIR";
  passEnvironment = process.passEnvironment ++ [
    "WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON"
    "EVENT_RETENTION_SECONDS"
    "AI_BASE_URL"
    "AI_MODEL"
    "AI_TIMEOUT_SECONDS"
    "SMTP_HOST"
    "SMTP_PORT"
    "SMTP_SECURITY"
    "SMTP_USERNAME"
    "SMTP_TIMEOUT_SECONDS"
    "EMAIL_FROM"
    "MAX_BODY_BYTES"
    "NOTIFICATION_RETENTION_DAYS"
    "RUN_RETENTION_DAYS"
    "TEMPORAL_UI_URL"
  ];
  # Files: name below /run/secrets -> the variable that names the file on the machine that starts the stack.
  secrets = {
    ai_api_key = "AI_API_KEY_FILE";
    api_token = "API_TOKEN_FILE";
    smtp_password = "SMTP_PASSWORD_FILE";
  };
}

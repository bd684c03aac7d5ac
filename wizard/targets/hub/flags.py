"""Hub's flags, by whether they take a value (iotaledger/hub at 9df503d4 and earlier, google/glog, gflags)."""

from __future__ import annotations

from wizard.formats.gflags import OWN_BOOLEANS

BOOLEANS = frozenset(
    {"fetchTransactionMessages", "useHttpsIRI"}  # hub/server/hub_server_base.cc
    | {"dbDebug"}  # hub/db/db.cc
    | {"alsologtostderr", "colorlogtostderr", "drop_log_memory", "log_prefix", "log_utc_time", "logtostderr"}
    | {"logtostdout", "only_check_args", "stop_logging_if_full_disk", "symbolize_stacktrace"}  # glog
    | {"timestamp_in_logfile_name"}
)
"""Those that take no separate value."""

_VALUED = frozenset(
    {"salt", "listenAddress", "sslCert", "sslKey", "sslCA", "sslDH", "authMode"}  # common/flags.cc
    | {"maxConcurrentArgon2Hash", "argon2TCost", "argon2MCost", "argon2Parallelism", "argon2Mode"}
    | {"keySecLevel"}
    | {"db", "dbHost", "dbPassword", "dbPort", "dbType", "dbUser"}  # hub/db/db.cc
    | {"apiAddress", "monitorInterval", "attachmentInterval", "sweepInterval"}  # hub_server_base.cc
    | {"minWeightMagnitude", "depth", "hmacKeyPath", "authProvider", "powMode", "serverType"}
    | {"signingMode", "signingProviderAddress"}
    | {"signingServerSslCert", "signingServerChainCert", "signingServerKeyCert"}
    | {"sweep_max_deposit", "sweep_max_withdraw"}  # hub/service/sweep_service.cc
    | {"log_dir", "log_link", "logbufsecs", "logbuflevel", "logemaillevel", "logmailer", "max_log_size"}
    | {"minloglevel", "stderrthreshold", "v", "vmodule", "log_backtrace_at", "alsologtoemail"}  # glog
    | {"flagfile", "fromenv", "tryfromenv", "undefok", "helpon", "helpmatch"}  # gflags
    | {"tab_completion_columns", "tab_completion_word"}
)


def is_known(name: str) -> bool:
    """Whether it is known of the flag if it takes a value."""
    known = name in _VALUED or name in BOOLEANS or name in OWN_BOOLEANS
    return known or (name.startswith("no") and name[2:] in BOOLEANS | OWN_BOOLEANS)

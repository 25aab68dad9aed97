{{/* What the chart reads in pointsman.toml, and refuses where pods could not run with it. */}}

{{- define "pointsman.config" -}}
{{- tpl .Values.config . }}
{{- end }}

{{/* the file as JSON, with the defaults that the chart needs */}}
{{- define "pointsman.settings" -}}
{{- $settings := include "pointsman.config" . | fromToml }}
{{- if hasKey $settings "Error" }}
{{- fail (printf "config is not TOML: %s" $settings.Error) }}
{{- end }}
{{- $http := default dict $settings.http }}
{{- $operator := default dict $http.operator }}
{{- dict
    "port" (dig "port" 8080 $http)
    "host" (default "0.0.0.0" $http.host)
    "delay" (dig "drain_delay_seconds" 5 $http)
    "drain" (dig "drain_seconds" 20 $http)
    "public" (default (dig "launches" "public_url" "" $settings) $http.public_url)
    "hasOperator" (hasKey $http "operator")
    "operatorPort" (dig "port" 8081 $operator)
    "operatorHost" (default "127.0.0.1" $operator.host)
    "operatorHosts" (default list $operator.hosts)
    "store" (dig "store" "url" "" $settings)
    | toJson }}
{{- end }}

{{/* seconds: the two drain times of the daemon, the 5 s it takes to close its store, and 10 to spare */}}
{{- define "pointsman.grace" -}}
{{- $settings := include "pointsman.settings" . | fromJson }}
{{- addf $settings.delay $settings.drain 15 | ceil | int }}
{{- end }}

{{/* Changes when a setting does that needs a restart: the file without what a running daemon takes on
(files/live_settings.txt). */}}
{{- define "pointsman.restartChecksum" -}}
{{- $settings := include "pointsman.config" . | fromToml }}
{{- range .Files.Lines "files/live_settings.txt" }}
{{- $keys := splitList "." (trim .) }}
{{- $table := $settings }}
{{- range initial $keys }}
{{- $inner := get $table . }}
{{- $table = ternary $inner dict (kindIs "map" $inner) }}
{{- end }}
{{- $_ := unset $table (last $keys) }}
{{- end }}
{{- range list "logging" "delivery" "sources" }}
{{- if not (get $settings .) }}{{ $_ := unset $settings . }}{{ end }}
{{- end }}
{{- toJson $settings | sha256sum | trunc 16 }}
{{- end }}

{{- define "pointsman.checks" -}}
{{- $name := include "pointsman.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
{{- fail (printf "%s can't be the name of a Service, which begins with a letter and has no dot: set fullnameOverride." $name) }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas is %d, and maxReplicas %d: give it no more than that." (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- end }}
{{- $settings := include "pointsman.settings" . | fromJson }}
{{- $fromEnvironment := list }}
{{- range .Values.extraEnv }}{{ $fromEnvironment = append $fromEnvironment .name }}{{ end }}
{{- if not $settings.hasOperator }}
{{- fail "config has no [http.operator]: add it with host = \"0.0.0.0\" and port = 8081. Probes, metrics and launches need a port that players do not reach." }}
{{- end }}
{{- if has $settings.operatorHost (list "127.0.0.1" "localhost" "::1") }}
{{- fail (printf "http.operator.host of config is %s, which probes can't reach: set it to \"0.0.0.0\", or \"::\" where pods have IPv6 alone." $settings.operatorHost) }}
{{- end }}
{{- range $key, $port := dict "http.port" $settings.port "http.operator.port" $settings.operatorPort }}
{{- if or (lt (int $port) 1) (gt (int $port) 65535) }}
{{- fail (printf "%s of config is %v: give it a number from 1 to 65535." $key $port) }}
{{- end }}
{{- end }}
{{- range $fromEnvironment }}
{{- if regexMatch "(?i)^POINTSMAN_HTTP(__(HOST|PORT|DRAIN_SECONDS|DRAIN_DELAY_SECONDS|OPERATOR(__(HOST|PORT|HOSTS))?))?$" . }}
{{- fail (printf "extraEnv has %s, which the Service, the probes and the pod's time to end would not follow: set it in config." .) }}
{{- end }}
{{- end }}
{{- if eq (int $settings.port) (int $settings.operatorPort) }}
{{- fail (printf "http.port and http.operator.port of config are both %d: give them different ports." (int $settings.port)) }}
{{- end }}
{{- if eq (join "," .Values.service.ipFamilies) "IPv6" }}
{{- range $key, $host := dict "http.host" $settings.host "http.operator.host" $settings.operatorHost }}
{{- if not (contains ":" $host) }}
{{- fail (printf "service.ipFamilies is IPv6 alone, and %s of config is %s: set it to \"::\"." $key $host) }}
{{- end }}
{{- end }}
{{- end }}
{{- if has "POINTSMAN_STORE__URL" $fromEnvironment }}
{{- else if eq .Values.mode "replicas" }}
{{- if not (regexMatch "^postgres(ql)?://" $settings.store) }}
{{- fail (printf "mode is replicas, which share one PostgreSQL, and store.url of config is %q: name the database, or set mode: embedded." $settings.store) }}
{{- end }}
{{- else if not (hasPrefix "sqlite:////data/" $settings.store) }}
{{- fail (printf "mode is embedded, whose volume is at /data, and store.url of config is %q: set it to \"sqlite:////data/pointsman.db\", or set mode: replicas for PostgreSQL." $settings.store) }}
{{- end }}
{{- if eq .Values.mode "embedded" }}
{{- if gt (int .Values.replicas) 1 }}
{{- fail (printf "mode is embedded, whose SQLite file is one pod's, and replicas is %d: set mode: replicas, with PostgreSQL." (int .Values.replicas)) }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- fail "mode is embedded, whose SQLite file is one pod's, and autoscaling is on: set mode: replicas, with PostgreSQL." }}
{{- end }}
{{- end }}
{{- if and .Values.existingSecret .Values.secrets }}
{{- fail "existingSecret and secrets are both set: name the Secret that is there, or give the chart the files of one to make." }}
{{- end }}
{{- range .Values.ingress.hosts }}
{{- range .paths }}
{{- if and $.Values.ingress.enabled (ne .path "/") (not $settings.public) }}
{{- fail (printf "ingress.hosts has the path %s: set http.public_url or launches.public_url of config, so that the addresses that pointsman hands out have it." .path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

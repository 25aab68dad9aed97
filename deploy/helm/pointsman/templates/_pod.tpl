{{/* The pod, the same in both modes but for its volume. */}}

{{- define "pointsman.mounts" -}}
- name: config
  mountPath: /etc/pointsman
  readOnly: true
- name: secrets
  mountPath: /etc/pointsman-secrets
  readOnly: true
{{- if eq .Values.mode "embedded" }}
- name: data
  mountPath: /data
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pointsman.environment" -}}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "pointsman.containerRest" -}}
image: {{ include "pointsman.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- include "pointsman.environment" . }}
volumeMounts:
  {{- include "pointsman.mounts" . | nindent 2 }}
{{- end }}

{{- define "pointsman.commonVolumes" -}}
- name: config
  configMap:
    name: {{ include "pointsman.fullname" . }}
- name: secrets
  secret:
    secretName: {{ include "pointsman.secretName" . }}
    defaultMode: 0440
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* pointsman/restart changes with a setting that needs a restart; all else the daemon takes on itself */}}
{{- define "pointsman.podAnnotations" -}}
{{- $settings := include "pointsman.settings" . | fromJson }}
{{- $own := dict }}
{{- if not .Values.serviceMonitor.enabled }}
{{- $_ := set $own "prometheus.io/scrape" "true" }}
{{- $_ := set $own "prometheus.io/port" ($settings.operatorPort | int | toString) }}
{{- $_ := set $own "prometheus.io/path" "/metrics" }}
{{- end }}
{{- $mark := dict "pointsman/restart" (include "pointsman.restartChecksum" .) }}
{{- merge $mark .Values.podAnnotations $own | toYaml }}
{{- end }}

{{- define "pointsman.pod" -}}
{{- include "pointsman.checks" . }}
{{- $settings := include "pointsman.settings" . | fromJson -}}
metadata:
  labels:
    {{- include "pointsman.podLabels" . | nindent 4 }}
  annotations:
    {{- include "pointsman.podAnnotations" . | nindent 4 }}
spec:
  # More than http.drain_delay_seconds, http.drain_seconds and 5 s together, so that a stop ends by
  # itself. There is no preStop: after SIGTERM the daemon goes on serving for the delay, and its
  # /readyz says 503 meanwhile, which it would not during a preStop.
  terminationGracePeriodSeconds: {{ include "pointsman.grace" . }}
  {{- with include "pointsman.serviceAccountName" . }}
  serviceAccountName: {{ . }}
  {{- end }}
  automountServiceAccountToken: false
  # no POINTSMAN_PORT and its like in the environment
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  initContainers:
    # a wrong configuration is named in this container's log
    - name: check
      args: [check]
      {{- include "pointsman.containerRest" . | nindent 6 }}
  containers:
    - name: pointsman
      args: [run]
      ports:
        - name: http
          containerPort: {{ int $settings.port }}
        - name: operator
          containerPort: {{ int $settings.operatorPort }}
      startupProbe:
        httpGet:
          path: /healthz
          port: operator
        {{- toYaml .Values.startupProbe | nindent 8 }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: operator
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: operator
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      {{- include "pointsman.containerRest" . | nindent 6 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

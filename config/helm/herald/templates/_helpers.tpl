{{/* The name of an image, from {repository, tag, digest}. */}}
{{- define "herald.image" -}}
{{ .repository }}{{ with .digest }}@{{ . }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{/* The objects of one of manifests/, in the release's namespace. Takes a list: the
     top-level context, and the file's name. */}}
{{- define "herald.objects" -}}
{{- $top := index . 0 }}
{{- range splitList "\n---\n" ($top.Files.Get (printf "manifests/%s.yaml" (index . 1))) }}
{{- $object := fromYaml . }}
{{- if hasKey $object.metadata "namespace" }}
{{- $_ := set $object.metadata "namespace" $top.Release.Namespace }}
{{- end }}
{{- range $object.subjects }}
{{- $_ := set . "namespace" $top.Release.Namespace }}
{{- end }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}

{{/* Lays the values of a component over its Deployment or DaemonSet, in place. Takes a
     list: the top-level context, the object, the component's values. */}}
{{- define "herald.lay" -}}
{{- $top := index . 0 }}
{{- $object := index . 1 }}
{{- $values := index . 2 }}
{{- $_ := set $object.metadata "namespace" $top.Release.Namespace }}
{{- $metadata := $object.spec.template.metadata }}
{{- $pod := $object.spec.template.spec }}
{{- $container := first $pod.containers }}
{{- $_ := set $container "image" (include "herald.image" $top.Values.image) }}
{{- $_ := set $container "imagePullPolicy" $top.Values.image.pullPolicy }}
{{- $_ := set $container "args" (concat $container.args $values.args) }}
{{- $_ := set $pod "priorityClassName" $values.priorityClassName }}
{{- with $top.Values.imagePullSecrets }}
{{- $_ := set $pod "imagePullSecrets" . }}
{{- end }}
{{- with $values.nodeSelector }}
{{- $_ := set $pod "nodeSelector" (merge (deepCopy $pod.nodeSelector) .) }}
{{- end }}
{{- with $values.tolerations }}
{{- $_ := set $pod "tolerations" . }}
{{- end }}
{{- with $values.affinity }}
{{- $_ := set $pod "affinity" . }}
{{- end }}
{{- with $values.resources }}
{{- $_ := set $container "resources" . }}
{{- end }}
{{- with $values.podLabels }}
{{- $_ := set $metadata "labels" (merge (deepCopy $metadata.labels) .) }}
{{- end }}
{{- with $values.podAnnotations }}
{{- $_ := set $metadata "annotations" . }}
{{- end }}
{{- end }}

{{/* Adds BIRD to the speaker's DaemonSet, in place, as the patches of config/bfd do: its
     container and volumes, what the speaker mounts of them, and the speaker's options. */}}
{{- define "herald.addBird" -}}
{{- $top := index . 0 }}
{{- $pod := (index . 1).spec.template.spec }}
{{- $speaker := first $pod.containers }}
{{- $patch := (fromYaml ($top.Files.Get "manifests/bfd-sidecar.yaml")).spec.template.spec }}
{{- $bird := last $patch.containers }}
{{- $values := $top.Values.bird }}
{{- $_ := set $bird "image" (include "herald.image" $values.image) }}
{{- $_ := set $bird "imagePullPolicy" $values.image.pullPolicy }}
{{- with $values.resources }}
{{- $_ := set $bird "resources" . }}
{{- end }}
{{- $_ := set $pod "containers" (append $pod.containers $bird) }}
{{- $_ := set $pod "volumes" (concat ($pod.volumes | default list) $patch.volumes) }}
{{- $_ := set $speaker "volumeMounts" (concat ($speaker.volumeMounts | default list) (first $patch.containers).volumeMounts) }}
{{- range fromYamlArray ($top.Files.Get "manifests/bfd-options.yaml") }}
{{- $_ := set $speaker "args" (append $speaker.args .value) }}
{{- end }}
{{- end }}

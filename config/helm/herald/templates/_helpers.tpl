{{/* The name of an image, from {repository, tag, digest}. */}}
{{- define "herald.image" -}}
{{ .repository }}{{ with .digest }}@{{ . }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{/* The objects of one of manifests/, in the release's namespace. Takes a list: the
     top-level context, the file's name, and rules for the Role that is in it. */}}
{{- define "herald.objects" -}}
{{- $top := index . 0 }}
{{- $rules := list }}
{{- if gt (len .) 2 }}
{{- $rules = index . 2 }}
{{- end }}
{{- range splitList "\n---\n" ($top.Files.Get (printf "manifests/%s.yaml" (index . 1))) }}
{{- $object := fromYaml . }}
{{- if eq $object.kind "Role" }}
{{- $_ := set $object "rules" (concat $object.rules $rules) }}
{{- end }}
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

{{/* Lays a patch over a pod, in place, as kustomize does: containers are told by their names,
     mounts and volumes are added in front, all else takes the place of what is there. Takes
     a list: the pod, and the patch's pod. */}}
{{- define "herald.patchPod" -}}
{{- $pod := index . 0 }}
{{- $patch := index . 1 }}
{{- range $patched := $patch.containers }}
{{- $known := false }}
{{- range $container := $pod.containers }}
{{- if eq $container.name $patched.name }}
{{- $known = true }}
{{- with $patched.volumeMounts }}
{{- $_ := set $container "volumeMounts" (concat . ($container.volumeMounts | default list)) }}
{{- end }}
{{- $_ := mergeOverwrite $container (omit $patched "volumeMounts") }}
{{- end }}
{{- end }}
{{- if not $known }}
{{- $_ := set $pod "containers" (append $pod.containers $patched) }}
{{- end }}
{{- end }}
{{- $_ := set $pod "volumes" (concat ($patch.volumes | default list) ($pod.volumes | default list)) }}
{{- $_ := mergeOverwrite $pod (omit $patch "containers" "volumes") }}
{{- end }}

{{/* Adds BIRD to the speaker's DaemonSet, in place: the patches of config/bfd, and with BGP
     those of config/bgp over them. Takes a list: the top-level context, the object. */}}
{{- define "herald.addBird" -}}
{{- $top := index . 0 }}
{{- $pod := (index . 1).spec.template.spec }}
{{- $speaker := first $pod.containers }}
{{- range ternary (list "bfd" "bgp") (list "bfd") $top.Values.bgp.enabled }}
{{- $patch := fromYaml ($top.Files.Get (printf "manifests/%s-sidecar.yaml" .)) }}
{{- include "herald.patchPod" (list $pod $patch.spec.template.spec) }}
{{- range fromYamlArray ($top.Files.Get (printf "manifests/%s-options.yaml" .)) }}
{{- $_ := set $speaker "args" (append $speaker.args .value) }}
{{- end }}
{{- end }}
{{- $values := $top.Values.bird }}
{{- $bird := last $pod.containers }}
{{- $_ := set $bird "image" (include "herald.image" $values.image) }}
{{- $_ := set $bird "imagePullPolicy" $values.image.pullPolicy }}
{{- with $values.resources }}
{{- $_ := set $bird "resources" . }}
{{- end }}
{{- end }}

variable "stream_name" {
  description = "Name of the new stream"
  type        = string
  default     = "telemetry-kinesis-stream"
}

variable "stream_arn" {
  description = "A stream that exists already, instead of a new one"
  type        = string
  default     = null
}

variable "layer_name" {
  description = "Name of the layer"
  type        = string
  default     = "kinesis-telemetry-api-extension"
}

variable "layer_zip" {
  description = "The zip that ./build.sh layer makes; null: the one in this clone's layer/dist"
  type        = string
  default     = null
}

variable "layer_version_arn" {
  description = "A layer version that exists already, such as one of layer/publish.sh, instead of a new one"
  type        = string
  default     = null
}

variable "policy_name" {
  description = "Name of the managed policy, unique in the account, across regions"
  type        = string
  default     = "kinesis-telemetry-api-extension-runtime"
}

variable "parameter_prefix" {
  description = "How the names of the SSM parameters begin"
  type        = string
  default     = "/telemetry/kinesis"
}

variable "tags" {
  description = "Of stream, policy and parameters"
  type        = map(string)
  default     = {}
}

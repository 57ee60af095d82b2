output "layer_version_arn" {
  description = "For `layers` of a function"
  value       = local.layer_version_arn
}

output "policy_arn" {
  description = "For the role of a function"
  value       = aws_iam_policy.runtime.arn
}

output "stream_arn" {
  description = "For KINESIS_STREAM_ARN in the environment of a function"
  value       = local.stream_arn
}

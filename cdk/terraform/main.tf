# The stack of cdk/ without the CDK and the example function: see "Terraform module" in its README.md.
terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  layer_zip         = coalesce(var.layer_zip, "${path.module}/../../layer/dist/kinesis-telemetry-api-extension.zip")
  layer_version_arn = var.layer_version_arn != null ? var.layer_version_arn : aws_lambda_layer_version.this[0].arn
  stream_arn        = var.stream_arn != null ? var.stream_arn : aws_kinesis_stream.this[0].arn
  here              = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  parameters = {
    "extension/arn"      = ["layer version", local.layer_version_arn]
    "runtime/policy/arn" = ["managed policy", aws_iam_policy.runtime.arn]
    "stream/arn"         = ["stream", local.stream_arn]
  }
}

resource "aws_kinesis_stream" "this" {
  count            = var.stream_arn == null ? 1 : 0
  name             = var.stream_name
  retention_period = 24
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"
  tags             = var.tags

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

# Each zip is a version of its own, and earlier ones stay.
resource "aws_lambda_layer_version" "this" {
  count                    = var.layer_version_arn == null ? 1 : 0
  layer_name               = var.layer_name
  description              = "Kinesis telemetry extension for x86_64 and arm64"
  filename                 = local.layer_zip
  source_code_hash         = filebase64sha256(local.layer_zip)
  compatible_architectures = ["x86_64", "arm64"]
  license_info             = "MIT"
  skip_destroy             = true
}

resource "aws_iam_policy" "runtime" {
  name        = var.policy_name
  description = "For functions with the Kinesis telemetry extension"
  tags        = var.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "PutTelemetry"
        Effect   = "Allow"
        Action   = "kinesis:PutRecords"
        Resource = local.stream_arn
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:${data.aws_partition.current.partition}:logs:${local.here}:log-group:/aws/lambda/*"
      },
    ]
  })
}

resource "aws_ssm_parameter" "this" {
  for_each       = local.parameters
  name           = "${var.parameter_prefix}/${each.key}"
  description    = "Kinesis telemetry extension: ARN of the ${each.value[0]}"
  type           = "String"
  insecure_value = each.value[1]
  tags           = var.tags
}

"""moto's server on a free port of 127.0.0.1, until standard input ends. Prints its address.

What moto 5.2.5 leaves out of what CloudFormation does for these templates is added here, each by
moto's own means:

- outputs of a stack that a change set has made
- AWS::Lambda::LayerVersion: LayerName; what Ref gives; CompatibleArchitectures; deletion with the stack
- AWS::Lambda::Function: Layers, Architectures, Tags; updates of functions with inline code
- permissions of a layer's version: the organisation as a condition, the account as its root, as AWS shows them
- AWS::Kinesis::Stream: StreamModeDetails, StreamEncryption
- AWS::IAM::Role: ManagedPolicyArns, detached when it is deleted
- AWS::IAM::ManagedPolicy: deletion with the stack
- DescribeStackResources by the PhysicalResourceId
- DeleteChangeSet of one that there is not succeeds; DescribeChangeSet says ChangeSetNotFound
- AWS::KMS::Key: Tags, which moto reads as those of a call
- templates of SAM in change sets, by AWS's own translator
- functions run, and custom resources ask them: see moto_functions.py

Left out as before: LoggingConfig of functions, AWS::S3::BucketPolicy (of the bootstrap stack),
AWS::Kinesis::Channel.
"""

import base64
import json
import os
import sys
from types import SimpleNamespace

import moto_functions
from moto.awslambda.models import LambdaBackend, LambdaFunction, LayerVersion
from moto.awslambda.utils import get_backend
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse, StackResourceDTO
from moto.core.responses import ActionResult
from moto.iam.models import ManagedPolicy, Role, iam_backends
from moto.kinesis.models import Stream
from moto.kms.models import Key
from moto.server import ThreadedMotoServer
from samtranslator.translator.transform import transform


def created(model, complete):
    """Completes each resource that is made, from its properties."""
    create = model.create_from_cloudformation_json.__func__

    def changed(cls, resource_name, cloudformation_json, *args, **kwargs):
        made = create(cls, resource_name, cloudformation_json, *args, **kwargs)
        complete(made, cloudformation_json["Properties"])
        return made

    model.create_from_cloudformation_json = classmethod(changed)


def complete_layer(layer, properties):
    layer.compatible_architectures = properties.get("CompatibleArchitectures", [])


def delete_layer(layer, account_id, region_name):
    get_backend(account_id, region_name).delete_layer_version(layer.name, str(layer.version))


def complete_function(function, properties):
    function.layers = function._get_layers_data(properties.get("Layers", []))
    function.architectures = properties.get("Architectures", ["x86_64"])
    function.tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def complete_stream(stream, properties):
    stream.stream_mode = properties.get("StreamModeDetails", stream.stream_mode)
    encryption = properties.get("StreamEncryption")
    if encryption:
        stream.encryption_type = encryption["EncryptionType"]
        stream.key_id = encryption["KeyId"]


def complete_role(role, properties):
    backend = iam_backends[role.account_id][role.partition]
    for arn in properties.get("ManagedPolicyArns", []):
        # AWS's own, which the bootstrap stack attaches, are not in moto.
        if arn in backend.managed_policies:
            backend.attach_role_policy(policy_arn=arn, role_name=role.name)


def delete_role(role, account_id, region_name):
    # Not by DetachRolePolicy: moto deletes in any order, the policy perhaps before.
    role.managed_policies.clear()
    role.policies.clear()
    iam_backends[role.account_id][role.partition].delete_role(role.name)


update_function_code = LambdaFunction.update_function_code


def update_inline_code(function, spec):
    # In templates it is text; in calls a zip, where it always is "UEs" and so on in base64.
    if isinstance(spec.get("ZipFile"), str) and not spec["ZipFile"].startswith("UEs"):
        spec = {**spec, "ZipFile": base64.b64encode(function._create_zipfile_from_plaintext_code(spec["ZipFile"]))}
    return update_function_code(function, spec)


create_key = Key.create_from_cloudformation_json.__func__


def create_key_with_tags(cls, resource_name, cloudformation_json, *args, **kwargs):
    properties = cloudformation_json["Properties"]
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
    return create_key(cls, resource_name, {"Properties": {**properties, "Tags": tags}}, *args, **kwargs)


add_layer_version_permission = LambdaBackend.add_layer_version_permission


def permit_layer(backend, layer_name, version_number, statement):
    asked = json.loads(statement)
    organization = asked.pop("OrganizationId", None)
    if organization:
        asked["PrincipalOrgID"] = organization
    if asked["Principal"].isdigit():
        asked["Principal"] = f"arn:aws:iam::{asked['Principal']}:root"
    return add_layer_version_permission(backend, layer_name, version_number, json.dumps(asked))


LambdaBackend.add_layer_version_permission = permit_layer
created(LayerVersion, complete_layer)
created(LambdaFunction, complete_function)
created(Role, complete_role)
created(Stream, complete_stream)
Key.create_from_cloudformation_json = classmethod(create_key_with_tags)
LayerVersion.cloudformation_name_type = staticmethod(lambda: "LayerName")
LayerVersion.physical_resource_id = LayerVersion.arn
LayerVersion.delete = delete_layer
LambdaFunction.update_function_code = update_inline_code
Role.delete = delete_role
ManagedPolicy.delete = lambda policy, account_id, region_name: policy.backend.delete_policy(policy.arn)

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator wants one
parse_template = ChangeSet._parse_template


def parse_template_of_sam(change_set):
    parse_template(change_set)
    if change_set.template_dict.get("Transform") == "AWS::Serverless-2016-10-31":
        no_policies = SimpleNamespace(load=dict)
        change_set.template_dict = transform(change_set.template_dict, dict(change_set.parameters), no_policies)


ChangeSet._parse_template = parse_template_of_sam

apply = ChangeSet.apply


def apply_with_outputs(change_set):
    apply(change_set)
    change_set.stack.template_dict = change_set.template_dict
    change_set.stack.output_map = change_set.stack._create_output_map()


ChangeSet.apply = apply_with_outputs


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"
    message = "ChangeSet does not exist"


def is_there(backend, change_set_name):
    return any(change_set_name in (id, one.change_set_name) for id, one in backend.change_sets.items())


delete_change_set = CloudFormationBackend.delete_change_set
describe_change_set = CloudFormationBackend.describe_change_set


def delete_if_there(backend, change_set_name):
    if is_there(backend, change_set_name):
        delete_change_set(backend, change_set_name)


def describe_if_there(backend, change_set_name):
    if not is_there(backend, change_set_name):
        raise ChangeSetNotFound()
    return describe_change_set(backend, change_set_name)


describe_stack_resources = CloudFormationResponse.describe_stack_resources


def describe_stack_of(response):
    name = response._get_param("PhysicalResourceId")
    if name is None:
        return describe_stack_resources(response)
    for stack in response.cloudformation_backend.stacks.values():
        for resource in stack.stack_resources:
            if resource.physical_resource_id == name:
                return ActionResult({"StackResources": [StackResourceDTO(stack, resource)]})
    raise ValidationError(message=f"Stack for {name} does not exist")


CloudFormationResponse.describe_stack_resources = describe_stack_of
CloudFormationBackend.delete_change_set = delete_if_there
CloudFormationBackend.describe_change_set = describe_if_there

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
moto_functions.start(address)
print(address, flush=True)
sys.stdin.read()
server.stop()

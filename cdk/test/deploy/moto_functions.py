"""Functions and custom resources of moto, as far as these templates need them. For moto_server.py.

- functions in JavaScript are run by Node, with moto as AWS; moto itself would want containers. What they log
  is in moto's logs, as it would be
- a custom resource asks its function when it is created, updated and deleted, and waits for the answer. Where
  this is FAILED the deploying call fails with its reason, since moto rolls nothing back
- PATIENCE_MS, for which the function of a check tries again, is 0: in moto all takes effect at once
"""

import http.server
import io
import json
import os
import queue
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path

from moto.awslambda.models import LambdaFunction
from moto.awslambda.utils import get_backend
from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.exceptions import ValidationError

MODULES = Path(__file__).resolve().parents[2] / "node_modules"
RUN = """
const [event] = process.argv.slice(1);
const context = { getRemainingTimeInMillis: () => 60000 };
require(process.cwd() + '/index.js').handler(JSON.parse(event), context)
    .then((result) => console.log(JSON.stringify(result ?? null)));
"""

endpoint = None


def start(address):
    """From now on functions can be called."""
    global endpoint
    endpoint = address
    threading.Thread(target=answers.serve_forever, daemon=True).start()


def invoke(function, event=None):
    """As moto's: the result, whether it failed, and the log."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(folder)
        inline = Path(folder, "index.py")  # moto thinks that of all inline code
        if inline.exists():
            inline.rename(Path(folder, "index.js"))
        environment = {
            **function.environment_vars,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": function.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "NODE_PATH": str(MODULES),
            "PATH": os.environ["PATH"],
            "PATIENCE_MS": "0",
            "TMPDIR": folder,
        }
        event = json.dumps(event if isinstance(event, dict) else {})
        ran = subprocess.run(
            ["node", "-e", RUN, event], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    function.logs_backend.ensure_log_group(function.logs_group_name)
    function.save_logs(ran.stdout + ran.stderr)
    if ran.returncode != 0:
        return json.dumps({"errorMessage": ran.stderr}), True, ran.stderr
    *log, result = ran.stdout.splitlines()
    return result, False, "\n".join(log)


class Answers(http.server.BaseHTTPRequestHandler):
    """Where custom resources answer."""

    got = queue.Queue()

    def do_PUT(self):
        self.got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


answers = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)


def ask(resource, request_type):
    event = {
        "RequestType": request_type,
        "ResponseURL": "http://127.0.0.1:{}/".format(answers.server_port),
        "StackId": resource.stack_id,
        "RequestId": resource.request_id,
        "LogicalResourceId": resource.logical_id,
        "ResourceProperties": resource.properties,
        **({} if request_type == "Create" else {"PhysicalResourceId": resource.resource_name}),
    }
    if request_type != "Delete":
        backend = get_backend(resource.account_id, resource.region_name)
        resource.function = backend.get_function(resource.properties["ServiceToken"])
    # As it was last: moto deletes in any order, the function perhaps before.
    result, failed, _ = invoke(resource.function, event)
    if failed:
        raise ValidationError(message=result)
    answer = Answers.got.get(timeout=10)
    if answer["Status"] != "SUCCESS":
        raise ValidationError(message=answer["Reason"])
    resource.resource_name = answer["PhysicalResourceId"]
    resource.set_data({})


def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    resource = cls(region_name, "request", kwargs["LogicalId"], resource_name)
    resource.stack_id, resource.account_id = kwargs["StackId"], account_id
    resource.properties = cloudformation_json["Properties"]
    ask(resource, "Create")
    return resource


def update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    original_resource.properties = cloudformation_json["Properties"]
    ask(original_resource, "Update")
    return original_resource


LambdaFunction._invoke_lambda = invoke
CustomModel.create_from_cloudformation_json = classmethod(create)
CustomModel.update_from_cloudformation_json = classmethod(update)
CustomModel.delete = lambda resource, account_id, region_name: ask(resource, "Delete")

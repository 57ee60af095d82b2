#!/usr/bin/env python3
"""As much of the AWS CLI as the documents use, on botocore: the same names of services, operations and parameters, which
botocore's models know, and --query and --output of the CLI.

With AWS_ANSWER in the environment no call is made: parameters are checked by the model, and that is the reply, in JSON;
the call is added to the file `calls` in the home folder.
Exit status 2: arguments that the CLI would refuse.
"""
import base64
import json
import os
import sys

import botocore.session
import jmespath
from botocore import xform_name
from botocore.validate import ParamValidator


def refuse(why):
    print(f"aws: {why}: {' '.join(sys.argv[1:])}", file=sys.stderr)
    sys.exit(2)


def read(word):
    if word.startswith('file://'):
        with open(word[len('file://'):], encoding='utf8') as file:
            return file.read()
    return word


def scalar(shape, word):
    if shape.type_name in ('structure', 'map', 'list'):
        return json.loads(word)
    if shape.type_name in ('integer', 'long'):
        return int(word)
    if shape.type_name == 'timestamp':
        return float(word)
    return word


def value(shape, words):
    if shape.type_name == 'boolean' and not words:
        return True
    words = [read(word) for word in words]
    if shape.type_name == 'list' and words[0][:1] not in ('[', '{'):
        return [scalar(shape.member, word) for word in words]
    if len(words) != 1:
        refuse('one value is needed')
    return scalar(shape, words[0])


def options(words):
    """[(name, values)] of --name VALUE..."""
    named = []
    for word in words:
        if word.startswith('--'):
            named.append((word[2:], []))
        elif not named:
            refuse('no option')
        else:
            named[-1][1].append(word)
    return named


def text(found):
    """As --output text: the items of a list in a line, lists of lists in lines."""
    if not isinstance(found, list):
        return 'None' if found is None else str(found)
    if any(isinstance(one, list) for one in found):
        return '\n'.join(text(one) for one in found)
    return '\t'.join('None' if one is None else str(one) for one in found)


def main(service, operation, *words):
    session = botocore.session.get_session()
    model = session.get_service_model(service)
    names = {xform_name(name, '-'): name for name in model.operation_names}
    if operation not in names:
        refuse('no such operation')
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(name, '-'): name for name in shape.members}
    query, output, parameters = None, 'json', {}
    for name, values in options(words):
        if name == 'query':
            query = jmespath.compile(values[0])
        elif name == 'output' and values in (['json'], ['text']):
            output = values[0]
        elif name in members:
            parameters[members[name]] = value(shape.members[members[name]], values)
        else:
            refuse(f'no such option: --{name}')
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        refuse(report.generate_report())
    reply = os.environ.get('AWS_ANSWER')
    if reply is None:
        reply = plain(getattr(session.create_client(service), xform_name(names[operation]))(**parameters))
    else:
        reply = json.loads(reply)
        with open(os.path.expanduser('~/calls'), 'a', encoding='utf8') as file:
            print(json.dumps([names[operation], parameters]), file=file)
    found = query.search(reply) if query else reply
    if found not in ({}, None):
        print(text(found) if output == 'text' else json.dumps(found, indent=4))


def plain(found):
    """As it would be in JSON."""
    if isinstance(found, dict):
        return {name: plain(one) for name, one in found.items() if name != 'ResponseMetadata'}
    if isinstance(found, list):
        return [plain(one) for one in found]
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    return found if isinstance(found, (str, int, float, bool, type(None))) else str(found)


main(*sys.argv[1:])

import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { DURATION, having, KEY, REMOVAL_POLICY, requireKind, requireKinds, TEXT } from './kinds';
import { requireThat } from './validation';

/** Where records go that Kinesis does not take. */
export class DeadLetter {
  /** Nowhere: they are counted. */
  public static readonly NONE = new DeadLetter('');
  /** Log lines of the extension on standard error. */
  public static readonly STDERR = new DeadLetter('stderr');

  /**
   * Objects in a bucket of the function's region.
   *
   * @param bucket where to
   * @param prefix how their names begin, up to 512 bytes; by default they begin with the date
   */
  public static bucket(bucket: s3.IBucket, prefix: string = ''): DeadLetter {
    requireKind('DeadLetter.bucket()', bucket, having('bucketName', 'an s3.IBucket, as Bucket.fromBucketName() makes it'));
    requireKind('dead-letter prefix', prefix, TEXT);
    const folder = Token.isUnresolved(prefix) ? prefix : checkedPrefix(prefix);
    checkName(bucket.bucketName);
    return new DeadLetter(`s3://${[bucket.bucketName, folder].filter(Boolean).join('/')}`, bucket, folder);
  }

  private constructor(
    /** As the extension reads it. */
    public readonly value: string,
    private readonly target?: s3.IBucket,
    private readonly prefix: string = '',
  ) {}

  /** What a function's role needs for it: s3:PutObject below the prefix, and the bucket's key. */
  public statements(): iam.PolicyStatement[] {
    if (this.target === undefined) {
      return [];
    }
    const below = this.prefix === '' ? '*' : `${this.prefix}/*`;
    const statements = [
      new iam.PolicyStatement({
        sid: 'PutDeadLetters',
        actions: ['s3:PutObject'],
        resources: [this.target.arnForObjects(below)],
      }),
    ];
    if (this.target.encryptionKey !== undefined) {
      statements.push(
        new iam.PolicyStatement({
          sid: 'EncryptDeadLetters',
          actions: ['kms:GenerateDataKey'],
          resources: [this.target.encryptionKey.keyArn],
        }),
      );
    }
    return statements;
  }
}

/** A bucket for dead letters, made by the construct. */
export interface DeadLetterBucketOptions {
  /**
   * How the objects' names begin.
   *
   * @default 'kinesis-telemetry'
   */
  readonly prefix?: string;

  /**
   * Customer key that objects are encrypted with.
   *
   * @default - the customer key of a new stream, if it has one, or else the key that S3 manages
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * When objects are deleted, in whole days.
   *
   * @default Duration.days(30)
   */
  readonly expiration?: Duration;

  /**
   * What becomes of the bucket with the stack. CloudFormation deletes empty buckets only, and none that
   * holds records which are nowhere else: whoever wants to lose them empties it first.
   *
   * @default - the construct's removalPolicy, RemovalPolicy.RETAIN without one
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** Encrypted, TLS only, no public access, objects expire unless told otherwise. */
export function makeBucket(
  scope: Construct,
  id: string,
  options: DeadLetterBucketOptions,
  expires = true,
): s3.Bucket {
  requireKinds(
    options,
    { prefix: TEXT, encryptionKey: KEY, expiration: DURATION, removalPolicy: REMOVAL_POLICY },
    'deadLetterBucket.',
  );
  const days = options.expiration?.isUnresolved() ? undefined : options.expiration?.toDays({ integral: false });
  requireThat(
    days === undefined || (Number.isInteger(days) && days >= 1),
    `deadLetterBucket.expiration: whole days from 1, not ${days}`,
  );
  const bucket = new s3.Bucket(scope, id, {
    encryption: options.encryptionKey ? s3.BucketEncryption.KMS : s3.BucketEncryption.S3_MANAGED,
    encryptionKey: options.encryptionKey,
    // One data key for many objects: each dead letter would be a call to KMS otherwise.
    bucketKeyEnabled: options.encryptionKey ? true : undefined,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      {
        id: 'expire',
        expiration: expires ? (options.expiration ?? Duration.days(30)) : undefined,
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
    removalPolicy: options.removalPolicy ?? RemovalPolicy.RETAIN,
  });
  acknowledge(
    bucket,
    'S1',
    'Written by the functions or by AWS alone; access logs would need a bucket of their own',
  );
  return bucket;
}

// As bucket_and_prefix() of src/protocol/settings.c, less what a policy would take for a pattern.
function checkedPrefix(prefix: string): string {
  const folder = prefix.replace(/^\/+|\/+$/g, '');
  requireThat(
    Buffer.byteLength(folder) <= 512 && !/[\u0000-\u001f\u007f*?$]/.test(folder),
    `dead-letter prefix: at most 512 bytes without control characters, '*', '?' and '$', not ${JSON.stringify(prefix)}`,
  );
  return folder;
}

function checkName(name: string): void {
  requireThat(
    Token.isUnresolved(name) || /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name),
    `dead-letter bucket: not the name of a bucket: ${JSON.stringify(name)}`,
  );
}

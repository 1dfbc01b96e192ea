/** A real S3 server on loopback, with a directory of its own. Disposing stops it and removes that. */
export interface RunningS3 extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The variables that every S3 program reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: () => string;
}

export const ACCESS_KEY = 'holdfast-tests';
export const SECRET_KEY = 'only-on-loopback';

export const credentials = {
  accessKey: ACCESS_KEY,
  secretKey: SECRET_KEY,
  environment: {
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_EC2_METADATA_DISABLED: 'true',
  },
} as const;

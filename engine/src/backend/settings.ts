/** What a kind of repository may have to be told besides its address. Each kind reads what concerns it. */
export interface BackendSettings {
  /** restic's `-o name=value`, such as `s3.region`. */
  readonly extended: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Certificates in PEM that are trusted besides the machine's: `--cacert`. */
  readonly authority?: Buffer;
  /** A client's certificate and key in one PEM: `--tls-client-cert`. */
  readonly clientCertificate?: Buffer;
  /** For a REST server whose address holds no login. */
  readonly restLogin?: Login;
}

/** Both are secrets as far as messages go. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

export const NO_SETTINGS: BackendSettings = { extended: new Map(), environment: {} };

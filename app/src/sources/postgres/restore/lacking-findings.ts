import type { Finding } from '@holdfast/engine';
import type { ProgramNeeds } from './installation.ts';

/** What a restored server will lack on this machine, with the package that brings it where we know one. */
export function lackingFindings(lacking: ProgramNeeds, major: number): Finding[] {
  const extensions = lacking.extensions.map(
    (name): Finding => ({
      severity: 'warning',
      code: 'postgres.extension-missing',
      subject: name,
      message: `the extension ${name} is not installed here: what is stored with its types cannot be read`,
      hint: installing(name, major),
    }),
  );
  const libraries = lacking.libraries
    .filter((name) => !lacking.extensions.includes(name))
    .map(
      (name): Finding => ({
        severity: 'note',
        code: 'postgres.library-missing',
        subject: name,
        message: `the library ${name}, which the server had loaded, is not installed here`,
        hint: installing(name, major),
      }),
    );
  return [...extensions, ...libraries];
}

function installing(name: string, major: number): string {
  const ending = PACKAGES[name];
  if (ending !== undefined) return `Debian: apt-get install ${ending.replace('N', String(major))}`;
  return `Install what brings ${name} for PostgreSQL ${major}.`;
}

/** Debian's and apt.postgresql.org's names; N stands for the major version. What comes with the server itself is in it. */
const PACKAGES: Readonly<Record<string, string>> = {
  citus: 'postgresql-N-citus',
  hll: 'postgresql-N-hll',
  hypopg: 'postgresql-N-hypopg',
  ip4r: 'postgresql-N-ip4r',
  jsquery: 'postgresql-N-jsquery',
  mysql_fdw: 'postgresql-N-mysql-fdw',
  ogr_fdw: 'postgresql-N-ogr-fdw',
  orafce: 'postgresql-N-orafce',
  pg_cron: 'postgresql-N-cron',
  pg_partman: 'postgresql-N-partman',
  pg_partman_bgw: 'postgresql-N-partman',
  pg_qualstats: 'postgresql-N-pg-qualstats',
  pg_repack: 'postgresql-N-repack',
  pg_similarity: 'postgresql-N-similarity',
  pg_stat_kcache: 'postgresql-N-pg-stat-kcache',
  pg_wait_sampling: 'postgresql-N-pg-wait-sampling',
  pgaudit: 'postgresql-N-pgaudit',
  pglogical: 'postgresql-N-pglogical',
  pgrouting: 'postgresql-N-pgrouting',
  pgtap: 'postgresql-N-pgtap',
  plpgsql_check: 'postgresql-N-plpgsql-check',
  plperl: 'postgresql-plperl-N',
  plpython3u: 'postgresql-plpython3-N',
  pltcl: 'postgresql-pltcl-N',
  postgis: 'postgresql-N-postgis-3',
  postgis_raster: 'postgresql-N-postgis-3',
  postgis_topology: 'postgresql-N-postgis-3',
  prefix: 'postgresql-N-prefix',
  rum: 'postgresql-N-rum',
  semver: 'postgresql-N-semver',
  set_user: 'postgresql-N-set-user',
  tdigest: 'postgresql-N-tdigest',
  tds_fdw: 'postgresql-N-tds-fdw',
  timescaledb: 'timescaledb-2-postgresql-N',
  unit: 'postgresql-N-unit',
  vector: 'postgresql-N-pgvector',
  wal2json: 'postgresql-N-wal2json',
};

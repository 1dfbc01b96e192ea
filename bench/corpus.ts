/**
 * Writes a corpus, or changes one: what the benchmarks read.
 *
 *     ./dev run bench/corpus.ts small /tmp/small [scale]
 *     ./dev run bench/corpus.ts change /tmp/small 0.01 [round]
 */
import { changeCorpus } from './corpus/change.ts';
import { corpora, SEED, scaled } from './corpus/corpora.ts';
import { writeCorpus } from './corpus/write.ts';

const [name = '', directory = '', share, round = '0'] = process.argv.slice(2);
const corpus = corpora[name];
if (directory === '' || (corpus === undefined && name !== 'change')) {
  process.stderr.write(
    `usage: corpus.ts ${Object.keys(corpora).join('|')} DIRECTORY [SCALE]\n       corpus.ts change DIRECTORY [FRACTION [ROUND]]\n`,
  );
  process.exit(2);
}
if (corpus === undefined) changeCorpus(directory, Number(share ?? 0.01), Number(round));
else writeCorpus(scaled(corpus, Number(share ?? 1)), directory, SEED);

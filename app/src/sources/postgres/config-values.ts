import { z } from 'zod';

/** Values as they are written down, with their units: what the options of the command line read. */

export const duration = z
  .string()
  .regex(/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/, 'It is a duration such as 30s, 5m or 1h30m.');

export const size = z
  .string()
  .regex(/^\d+(?:\.\d+)?[kmgt]?(?:i?b)?$/i, 'It is a number with k, M, G or T behind it, such as 500M.');

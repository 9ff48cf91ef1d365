/**
 * What the server sends and takes, by the names that the page calls it.
 */

import type { components } from './schema';

type Schemas = components['schemas'];

export type Title = Schemas['Title'];
export type Grant = Schemas['Grant'];
export type NewShare = Schemas['NewShare'];
export type Share = Schemas['Shared'];
export type Media = Schemas['Medium'];
export type MediaKind = Schemas['MediaKind'];
export type Job = Schemas['Job'];
export type JobState = Schemas['JobState'];
export type NewJob = Schemas['NewJob'];
export type Queue = Schemas['Queue'];
export type Listed = Schemas['ProductionSummary'];
export type Performance = Schemas['Performance'];
export type Collected = Schemas['Collected'];
export type Settings = Schemas['Settings'];
export type Watched = Schemas['Watched'];
export type Audit = Schemas['Audit'];
export type AuditEntry = Schemas['AuditEntry'];

/**
 * What the server sends and takes, by the names that the page calls it.
 */

/** A moment: RFC 3339. */
export type Time = string;

export type JobState =
  'waiting' | 'running' | 'paused' | 'cancelling' | 'done' | 'failed' | 'cancelled';

export interface Progress {
  readonly step: string;
  readonly done: number;
  /** 0 where it isn't known. */
  readonly total: number;
  readonly unit: string;
  /** 0 where none are counted. */
  readonly fps: number;
  readonly eta_s: number | null;
}

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly state: JobState;
  readonly priority: number;
  readonly progress: Progress | null;
  readonly attempts: number;
  readonly created_at: Time;
  readonly started_at: Time | null;
  readonly ended_at: Time | null;
  readonly error: string | null;
  readonly commands: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly bytes: number }[];
  readonly production: string | null;
  readonly title: string | null;
}

export interface Queue {
  readonly drained: boolean;
  readonly slots: number;
  readonly running: number;
  readonly pending: number;
  readonly oldest_pending_s: number;
}

export interface Title {
  readonly id: string;
  readonly name: string;
  readonly created_at: Time;
  readonly duration_us: number;
  readonly width: number;
  readonly height: number;
  readonly sealed_bytes: number;
  readonly has_poster: boolean;
  readonly grants: number;
}

export interface Grant {
  readonly id: string;
  readonly label: string;
  readonly created_at: Time;
  readonly expires_at: Time | null;
  readonly revoked: boolean;
}

export type MediaKind = 'video' | 'audio' | 'image';

export interface Media {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly kind: MediaKind;
  readonly duration_us: number;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  readonly added_at: Time;
  readonly hash: string;
  readonly has_thumbnail: boolean;
  readonly has_waveform: boolean;
}

export interface Share {
  readonly grant: Grant;
  readonly link: string;
}

export interface Performance {
  readonly uptime_s: number;
  readonly rss_bytes: number;
  readonly rss_peak_bytes: number;
  readonly cpu_ms: number;
  readonly children_cpu_ms: number;
  readonly threads: number;
  readonly children: readonly {
    readonly name: string;
    readonly rss_bytes: number;
    readonly cpu_ms: number;
  }[];
  readonly requests: readonly {
    readonly route: string;
    readonly count: number;
    readonly errors: number;
    readonly p50_ms: number;
    readonly p95_ms: number;
    readonly p99_ms: number;
    readonly max_ms: number;
  }[];
  readonly slow: readonly {
    readonly route: string;
    readonly at: Time;
    readonly status: number;
    readonly ms: number;
  }[];
  readonly cache: {
    readonly bytes: number;
    readonly entries: number;
    readonly bytes_max: number;
    readonly upload_bytes: number;
    readonly media_bytes: number;
  };
  readonly listeners: number;
  readonly sessions: number;
}

export interface Collected {
  readonly rss_before_bytes: number;
  readonly rss_after_bytes: number;
  readonly freed_bytes: number;
  readonly uploads: number;
}

export interface Settings {
  share_expires: string;
  share_base_url: string;
  import_ladder: string;
  upload_bytes_max: number;
  upload_hours: number;
  cache_bytes_max: number;
  cache_days: number;
  hide_per_minute: number;
}

export interface AuditEntry {
  readonly seq: number;
  readonly at: Time;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
}

export interface Audit {
  readonly items: readonly AuditEntry[];
  readonly next: string | null;
  readonly total: number;
  readonly intact: boolean;
}

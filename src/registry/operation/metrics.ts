import { createCounter, createGauge, createGauges, createHistogram, type Family } from './exposition.ts'
import type { EndedRequest, Observe, RegistryEvent } from './registry-event.ts'

/** Counts what happens in a registry, for Prometheus. */
export interface Metrics {
  observe: Observe
  families: readonly Family[]
}

/** Seconds: from an answer out of the database to a push of gigabytes. */
const DURATIONS = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60, 300, 1800]

/** The names and labels are an interface: they are described in docs/registry/operate.md, and deploy/registry/grafana.json reads them. */
export function createMetrics(): Metrics {
  const requests = createRequestMetrics()
  const events = createEventMetrics()
  const upstreams = createUpstreamMetrics()
  const replications = createReplicationMetrics()
  const scans = createScanMetrics()
  const families = [
    ...requests.families,
    ...events.families,
    ...upstreams.families,
    ...replications.families,
    ...scans.families,
    ...processMetrics(),
  ]
  return {
    observe(event) {
      requests.observe(event)
      events.observe(event)
      upstreams.observe(event)
      replications.observe(event)
      scans.observe(event)
    },
    families,
  }
}

interface Part {
  families: readonly Family[]
  observe: Observe
}

function createRequestMetrics(): Part {
  const count = createCounter('bale_registry_requests_total', 'Requests whose answers have ended')
  const duration = createHistogram(
    'bale_registry_request_duration_seconds',
    'Time from a request to the last byte of its answer',
    DURATIONS,
  )
  const received = createCounter('bale_registry_received_bytes_total', 'Bytes that requests brought, with their heads')
  const sent = createCounter('bale_registry_sent_bytes_total', 'Bytes of answers, with their heads')
  let uploads = 0
  const underWay = createGauge('bale_registry_uploads_under_way', 'Requests that bring bytes of blobs', () => uploads)
  const ended = (request: EndedRequest) => {
    const route = request.route ?? 'none'
    const method = METHODS.has(request.method) ? request.method : 'other'
    count.add({ method, route, status: statusClass(request.status) })
    duration.observe({ method, route }, request.milliseconds / 1000)
    received.add({ route }, request.bytesIn)
    sent.add({ route }, request.bytesOut)
    if (isUpload(request)) uploads--
  }
  return {
    families: [count, duration, received, sent, underWay],
    observe(event) {
      if (event.kind === 'request-began' && isUpload(event)) uploads++
      if (event.kind === 'request-ended') ended(event)
    },
  }
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

function statusClass(status: number | undefined): string {
  return status === undefined ? 'none' : `${Math.floor(status / 100)}xx`
}

function isUpload({ route, method }: { route: string | undefined; method: string }): boolean {
  return (route === 'uploads' && method === 'POST') || (route === 'upload' && ['PATCH', 'PUT'].includes(method))
}

function createEventMetrics(): Part {
  const refused = createCounter('bale_registry_logins_refused_total', 'Passwords and tokens that were not accepted', {
    from: ['password', 'token'].flatMap((credential) => REASONS.map((reason) => ({ credential, reason }))),
  })
  const limited = createCounter('bale_registry_requests_limited_total', 'Requests above a limit', {
    from: LIMITED.map((what) => ({ what })),
  })
  const failures = createCounter('bale_registry_failures_total', 'Failures of the database and of the object store')
  const collections = createCounter('bale_registry_collections_total', 'Collections that this process began', {
    from: OUTCOMES.map((outcome) => ({ outcome })),
  })
  const freed = createCounter('bale_registry_collection_freed_bytes_total', 'Bytes that collections removed', {
    from: [{}],
  })
  const attempts = createCounter('bale_registry_hook_attempts_total', 'Attempts to deliver events to hooks', {
    from: ATTEMPTS.map((outcome) => ({ outcome })),
  })
  const last: { collection?: number; certificate?: number } = {}
  const pending = createGauges(
    'bale_registry_hook_deliveries_pending',
    'Deliveries of events that are still to be made, of all replicas, at most 10000',
  )
  const spansSent = createCounter('bale_registry_spans_sent_total', 'Spans of traces that the collector took', {
    from: [{}],
  })
  const spansDropped = createCounter('bale_registry_spans_dropped_total', 'Spans of traces that were lost', {
    from: LOSSES.map((reason) => ({ reason })),
  })
  const lastCollection = createGauge(
    'bale_registry_collection_last_success_timestamp_seconds',
    'When a collection of this process last came to its end',
    () => last.collection,
    { together: 'greatest' },
  )
  const expiry = createGauge(
    'bale_registry_tls_certificate_expiry_timestamp_seconds',
    'When the certificate that is shown expires',
    () => last.certificate,
    { together: 'least' },
  )
  const act = (event: RegistryEvent) => {
    switch (event.kind) {
      case 'login-refused':
        return refused.add({ credential: event.credential, reason: event.reason })
      case 'request-limited':
        return limited.add({ what: event.what })
      case 'part-failed':
        return failures.add({ part: event.part, code: event.code })
      case 'hook-attempt-ended':
        return attempts.add({ outcome: event.outcome })
      case 'hook-deliveries-counted':
        return pending.set({}, event.pending)
      case 'spans-sent':
        return spansSent.add({}, event.count)
      case 'spans-dropped':
        return spansDropped.add({ reason: event.reason }, event.count)
      case 'certificate-shown':
        last.certificate = event.validUntil / 1000
        return
      case 'collection-ended':
        collections.add({ outcome: event.outcome })
        if (event.outcome !== 'done') return
        freed.add({}, event.bytes)
        last.collection = event.time / 1000
    }
  }
  return {
    families: [
      refused,
      limited,
      failures,
      collections,
      lastCollection,
      freed,
      attempts,
      pending,
      expiry,
      spansSent,
      spansDropped,
    ],
    observe: act,
  }
}

/** An upstream is named by its prefix, which the configuration gives it. */
function createUpstreamMetrics(): Part {
  const asked = createCounter('bale_registry_upstream_requests_total', 'Requests to upstreams')
  const served = createCounter(
    'bale_registry_cache_answers_total',
    'Manifests and blobs of upstreams that clients asked for',
  )
  const remaining = createGauges(
    'bale_registry_upstream_pulls_remaining',
    'Pulls that an upstream says it still allows',
  )
  return {
    families: [asked, served, remaining],
    observe(event) {
      if (event.kind === 'upstream-answered') {
        const status = event.status === 429 ? '429' : statusClass(event.status)
        asked.add({ upstream: event.upstream, status })
      }
      if (event.kind === 'upstream-limit') remaining.set({ upstream: event.upstream }, event.remaining)
      if (event.kind === 'cache-answered') {
        served.add({ upstream: event.upstream, what: event.what, outcome: event.outcome })
      }
    },
  }
}

/** A rule has the name that the configuration gives it. */
function createReplicationMetrics(): Part {
  const ended = createCounter(
    'bale_registry_replications_total',
    'Tries to replicate a tag, or to find out what is to be replicated',
  )
  const moved = createCounter('bale_registry_replication_bytes_total', 'Bytes that rules of replication moved')
  const tasks = createGauges(
    'bale_registry_replication_tasks',
    'Tasks of replication that wait, run or were given up, of all replicas, at most 10000 of each',
  )
  return {
    families: [ended, moved, tasks],
    observe(event) {
      if (event.kind === 'replication-ended') {
        ended.add({ rule: event.rule, outcome: event.outcome })
        moved.add({ rule: event.rule }, event.bytes)
      }
      if (event.kind === 'replications-counted') {
        tasks.set({ state: 'waiting' }, event.waiting)
        tasks.set({ state: 'failed' }, event.failed)
      }
    },
  }
}

function createScanMetrics(): Part {
  const ended = createCounter('bale_registry_scans_total', 'Tries to list the packages of an image', {
    from: SCANS.map((outcome) => ({ outcome })),
  })
  const matched = createCounter('bale_registry_scans_matched_total', 'Images that were matched with advisories', {
    from: [{}],
  })
  const images = createGauges(
    'bale_registry_scan_images',
    'Images that wait for a scan or whose scan failed, of all replicas, at most 10000 of each',
  )
  let created: number | undefined
  const advisories = createGauge(
    'bale_registry_advisories_timestamp_seconds',
    'When the advisories in use were collected',
    () => created,
    { together: 'least' },
  )
  return {
    families: [ended, matched, images, advisories],
    observe(event) {
      if (event.kind === 'scan-ended') ended.add({ outcome: event.outcome })
      if (event.kind === 'scans-matched') matched.add({}, event.count)
      if (event.kind === 'advisories-opened') created = event.created / 1000
      if (event.kind === 'scans-counted') {
        images.set({ state: 'waiting' }, event.waiting)
        images.set({ state: 'failed' }, event.failed)
      }
    },
  }
}

const SCANS = ['scanned', 'no-image', 'again', 'failed'] as const
const REASONS = ['wrong', 'limited', 'busy'] as const
const ATTEMPTS = ['delivered', 'failed', 'dead'] as const
const LIMITED = ['pulls', 'pushes', 'requests'] as const
const LOSSES = ['full', 'refused', 'unreachable'] as const
const OUTCOMES = ['done', 'failed', 'elsewhere'] as const

/** Under the names that other programs' have, so that the same dashboards and alerts work. */
export function processMetrics(): Family[] {
  const started = Date.now() / 1000 - process.uptime()
  const cpu = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
  return [
    createGauge('process_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss()),
    createGauge('process_cpu_seconds_total', 'Time of processors that the process used', cpu, { type: 'counter' }),
    createGauge('process_start_time_seconds', 'When the process began', () => started, { together: 'least' }),
    createGauge('nodejs_heap_size_used_bytes', 'Used heap of V8', () => process.memoryUsage().heapUsed),
    createGauge('nodejs_external_memory_bytes', 'Memory of buffers', () => process.memoryUsage().external),
  ]
}

-- Note how a call ended. In a closed circuit every call counts; in an open one only that of the lease, so that calls
-- from before it opened change nothing.
-- KEYS[1] circuits
-- ARGV[1] JSON {name, outcome: success | failure | none, lease: '' without one,
--               policy: {failures, windowMs, openMs, successes}}
-- Returns {opened | closed | '', circuit as JSON or '' where it is clean}
-- @include now
-- Circuits that nobody calls any more go with the last of them.
local KEPT = 86400000

local report = cjson.decode(ARGV[1])
local policy, at = report.policy, now()
local text = redis.call('HGET', KEYS[1], report.name)
local circuit = text and cjson.decode(text) or {}
local change = ''

local function open()
    circuit.openUntil, circuit.successes = at + policy.openMs, 0
    change = 'opened'
end

local function probed()
    circuit.probe, circuit.probeUntil = nil, nil
    if report.outcome == 'failure' then return open() end
    if report.outcome == 'success' then circuit.successes = circuit.successes + 1 end
    if circuit.successes >= policy.successes then circuit, change = nil, 'closed' end
end

local function failed()
    local recent = {}
    for _, failed_at in ipairs(circuit.failedAt or {}) do
        if failed_at > at - policy.windowMs then recent[#recent + 1] = failed_at end
    end
    recent[#recent + 1] = at
    circuit.failedAt = recent
    if #recent >= policy.failures then open() end
end

if circuit.openUntil then
    if report.lease == '' or circuit.probe ~= report.lease then return { '', text } end
    probed()
elseif report.outcome == 'failure' then
    failed()
elseif report.outcome == 'success' then
    circuit = nil
else
    return { '', text or '' }
end

if not circuit then
    redis.call('HDEL', KEYS[1], report.name)
    return { change, '' }
end
text = cjson.encode(circuit)
redis.call('HSET', KEYS[1], report.name, text)
redis.call('PEXPIRE', KEYS[1], KEPT)
return { change, text }

-- One page of a tenant's audit, with the hashes of what is sealed. No more entries are looked at than `most`, so that a
-- page may be short, or empty, though there are more.
-- KEYS[1] audit · KEYS[2] seals
-- ARGV[1] JSON {direction: asc | desc, limit, most, after: id of the last entry looked at or '', until: id of the newest
--         one that counts or '', from, before: milliseconds or '', match: {field: value}, prefix: what the action begins
--         with or '', isFailure: only what was refused or failed}
-- Returns {more (0 | 1), id of the last entry looked at, {id, {field, value, …}, hash or ''}, …}
local query = cjson.decode(ARGV[1])
local descending = query.direction == 'desc'
local last = query.after ~= '' and query.after
-- Without a filter the first step is enough.
local step, LATER_STEPS = query.limit + 1, 250

local function ms(time)
    return string.format('%.0f', time)
end

-- Of two ends, the one that comes first.
local until_ms = tonumber(query['until']:match('^%d+'))
local is_last_before = until_ms and (query.before == '' or until_ms < query.before)

local function next_entries()
    local low = query.from == '' and '-' or ms(query.from)
    local high = query.before == '' and '+' or '(' .. ms(query.before) .. '-0'
    if is_last_before then high = query['until'] end
    if last and descending then high = '(' .. last end
    if last and not descending then low = '(' .. last end
    local command = descending and 'XREVRANGE' or 'XRANGE'
    local from, to = descending and high or low, descending and low or high
    return redis.call(command, KEYS[1], from, to, 'COUNT', step)
end

-- An intention has neither succeeded nor failed yet.
local function has_failed(result)
    return result ~= 'success' and result ~= 'intended'
end

local function fits(entry)
    local found = {}
    for n = 1, #entry[2], 2 do found[entry[2][n]] = entry[2][n + 1] end
    for field, value in pairs(query.match) do
        if found[field] ~= value then return false end
    end
    if query.isFailure and not has_failed(found.result) then return false end
    return query.prefix == '' or (found.action or ''):sub(1, #query.prefix) == query.prefix
end

local function with_hash(entry)
    local seal = redis.call('XRANGE', KEYS[2], entry[1], entry[1])[1]
    -- The hash is the first thing that a seal says.
    entry[3] = seal and seal[2][2] or ''
    return entry
end

local page, looked = {}, 0
while true do
    local entries = next_entries()
    if #entries == 0 then return { 0, '', unpack(page) } end
    for _, entry in ipairs(entries) do
        if looked == query.most then return { 1, last, unpack(page) } end
        looked = looked + 1
        if fits(entry) then
            if #page == query.limit then return { 1, last, unpack(page) } end
            page[#page + 1] = with_hash(entry)
        end
        last = entry[1]
    end
    step = LATER_STEPS
end

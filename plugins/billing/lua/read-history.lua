-- One page of a tenant's ledger. By the index where something is asked for that it knows, else by the stream itself; no
-- more entries are looked at than `most`, so that a page may be short though there are more.
-- KEYS[1] credits
-- ARGV[1] JSON {direction: asc | desc, limit, most, after: id of the last entry seen or '', from, before: milliseconds
--         or '', abouts: [what the index is asked for, all of it], match: {field: value}}
-- Returns {more (0 | 1), id of the last entry looked at, {id, {field, value, …}}, …}
-- @include find-entry
local keys = { credits = KEYS[1] }
local query = cjson.decode(ARGV[1])
local descending = query.direction == 'desc'
local last = query.after ~= '' and query.after

-- As the index has it.
local function place(id)
    local time, sequence = id:match('^(%d+)-(%d+)$')
    return string.format('%s-%05d', time, sequence)
end

local function bounds_of(about)
    local low = '[' .. about .. ':' .. (query.from == '' and '0' or string.format('%013.0f-00000', query.from))
    -- Exclusive: what is of that millisecond begins with it.
    local high = query.before == '' and '[' .. about .. '::' or '(' .. about .. string.format(':%013.0f', query.before)
    return low, high
end

local about, fewest
for _, one in ipairs(query.abouts) do
    local count = redis.call('ZLEXCOUNT', KEYS[1] .. ':index', bounds_of(one))
    if not fewest or count < fewest then about, fewest = one, count end
end

-- Where nothing is left out the first step is enough.
local step, LATER_STEPS = query.limit + 1, 100

local function next_of_index()
    local low, high = bounds_of(about)
    if last and descending then high = '(' .. about .. ':' .. place(last) end
    if last and not descending then low = '(' .. about .. ':' .. place(last) end
    local command = descending and 'ZREVRANGEBYLEX' or 'ZRANGEBYLEX'
    local from, to = descending and high or low, descending and low or high
    local entries = {}
    for n, member in ipairs(redis.call(command, KEYS[1] .. ':index', from, to, 'LIMIT', 0, step)) do
        entries[n] = entry_of(keys, member)
    end
    return entries
end

local function next_of_stream()
    local low = query.from == '' and '-' or string.format('%.0f', query.from)
    local high = query.before == '' and '+' or string.format('(%.0f-0', query.before)
    if last and descending then high = '(' .. last end
    if last and not descending then low = '(' .. last end
    local command = descending and 'XREVRANGE' or 'XRANGE'
    local from, to = descending and high or low, descending and low or high
    return redis.call(command, KEYS[1] .. ':ledger', from, to, 'COUNT', step)
end

local function fits(entry)
    local found = {}
    for n = 1, #entry[2], 2 do found[entry[2][n]] = entry[2][n + 1] end
    for field, value in pairs(query.match) do
        if found[field] ~= value then return false end
    end
    return true
end

local page, looked = {}, 0
while true do
    local entries = about and next_of_index() or next_of_stream()
    if #entries == 0 then return { 0, '', unpack(page) } end
    for _, entry in ipairs(entries) do
        if looked == query.most then return { 1, last, unpack(page) } end
        looked = looked + 1
        if fits(entry) then
            if #page == query.limit then return { 1, last, unpack(page) } end
            page[#page + 1] = entry
        end
        last = entry[1]
    end
    step = LATER_STEPS
end

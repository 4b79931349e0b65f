-- One page of a user's threads that have, for each of some words, a term that begins so; in the order of the list.
-- When the rarest word has few terms, the threads of these are put in order; when it has many, the list is walked, and
-- a page may be short though there are more. Nothing is looked at twice, and no more than ARGV[5]. A short list is walked
-- also when the page is likely full before it has come as far as there are terms.
-- KEYS[1] the owner's threads by term (zset of "<term>\0<thread id>") · KEYS[2] order · KEYS[3] what thread keys begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last thread seen, or two empty strings
-- ARGV[5] the most that are looked at · ARGV[6] … the words
-- Returns {more (0 | 1), last score, last id, {field, value, …}, …}
-- @include page
local limit, most = tonumber(ARGV[2]), tonumber(ARGV[5])
-- No text in UTF-8 has this byte.
local function range(word) return '[' .. word, '[' .. word .. '\255' end

local rarest, fewest
for n = 6, #ARGV do
    local count = redis.call('ZLEXCOUNT', KEYS[1], range(ARGV[n]))
    if not fewest or count < fewest then rarest, fewest = ARGV[n], count end
end

-- A term stands behind the `[` or the `,` of its list; what names a list stands behind `{` or `],`.
local function has_words(id)
    local terms = redis.call('HGET', KEYS[3] .. id .. ':terms', 'terms')
    for n = 6, #ARGV do
        local first, later = '["' .. ARGV[n], '","' .. ARGV[n]
        if not terms or not (terms:find(first, 1, true) or terms:find(later, 1, true)) then return false end
    end
    return true
end

local function read(id) return has_words(id) and redis.call('HGETALL', KEYS[3] .. id) or nil end

local total = redis.call('ZCARD', KEYS[2])
if fewest > most or (total <= most and fewest * fewest > limit * total) then
    local page, more, last, last_id = page_of(KEYS[2], ARGV, read, most)
    return { more, last, last_id, unpack(page) }
end

local ids, known = {}, {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], range(rarest))) do
    local id = member:match('%z(.*)$')
    if not known[id] then ids[#ids + 1], known[id] = id, true end
end
if #ids == 0 then return { 0, '', '' } end

local descending = ARGV[1] == 'desc'
local function is_before(one, other)
    if descending then one, other = other, one end
    if one.score ~= other.score then return one.score < other.score end
    return one.id < other.id
end

local seen = ARGV[4] ~= '' and { score = tonumber(ARGV[3]), id = ARGV[4] }
local found = {}
for n, score in ipairs(redis.call('ZMSCORE', KEYS[2], unpack(ids))) do
    local thread = { score = tonumber(score), id = ids[n], text = score }
    if not seen or is_before(seen, thread) then found[#found + 1] = thread end
end
table.sort(found, is_before)

local page, last = {}, {}
for _, thread in ipairs(found) do
    local item = read(thread.id)
    if item and #page == limit then return { 1, last.text, last.id, unpack(page) } end
    if item then page[#page + 1], last = item, thread end
end
return { 0, '', '', unpack(page) }

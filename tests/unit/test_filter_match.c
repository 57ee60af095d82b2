#include "protocol/filter_match.h"

#include "protocol/out.h"

#include "check.h"
#include "guard.h"
#include "json_string.h"
#include "long_line.h"
#include "protocol/json_walk.h"
#include "seed.h"

static struct filter_pattern pattern;

/* The line of a row, so that its patterns stand below each other. */
#define EVENT                                                                                      \
    "{\"kind\":\"OpenDoor\",\"address\":\"10.20.30.40\",\"list\":[\"first\",\"the second\"],"      \
    "\"things\":[{\"name\":\"p\",\"id\":1},{\"name\":\"q\",\"id\":2}],\"nothing\":null,"           \
    "\"yes\":true,\"no\":false,\"room.name\":\"c\"}"
#define PEOPLE                                                                                     \
    "{\"user\":{\"id\":1,\"mail\":\"one@example.org\"},\"users\":[{\"id\":2,\"mail\":"             \
    "\"two@example.org\"},{\"id\":3,\"mail\":\"three@example.org\"}],\"verbs\":[\"TAKE\","         \
    "\"GIVE\",\"KEEP\"],\"table\":[[0,1,2],[4,5,6],[7,8,9]]}"
#define ACCESS                                                                                     \
    "10.0.0.7 Prod mary [20/Nov/2026:13:25:15 -0700] \"GET /door.html HTTP/1.0\" 404 1534"
#define TRAIL(type)                                                                                \
    "{\"eventType\":\"AwsApiCall\",\"eventName\":\"ConsoleLogin\",\"errorMessage\":"               \
    "\"Failed "                                                                                    \
    "authentication\",\"errorCode\":\"AccessDeniedException\",\"userIdentity\":{\"type\":\"" type  \
    "\"}}"
#define VALUES                                                                                     \
    "{\"s\":\"111.111.111.111\",\"empty\":\"\",\"i\":123,\"f\":12.34,\"z\":12.0,\"e\":1E3,"        \
    "\"n\":-5,\"o\":{\"a\":1},\"a\":[1],\"nil\":null,\"t\":true,\"num\":\"123\","                  \
    "\"esc\":\"say \\\"hi\\\"\\n\\u00e4\",\"big\":9007199254740993}"

static const struct {
    const char *pattern, *line;
    bool want;
} rows[] = {
    /* --- terms; the guide's "unstructured log events", each of its examples in turn --- */
    {"FAULT", "[FAULT 400] NO DOOR", true},
    {"FAULT", "[FAULT 401] CLOSED DOOR", true},
    {"FAULT", "[fault 401] CLOSED DOOR", false},
    {"FAULT KEYS", "[FAULT 419] LOST KEYS", true},
    {"FAULT KEYS", "[FAULT 420] WRONG KEYS", true},
    {"FAULT KEYS", "[FAULT 400] NO DOOR", false},
    {"FAULT KEYS", "LOST KEYS", false},
    {"?FAULT ?KEYS", "[FAULT 400] NO DOOR", true},
    {"?FAULT ?KEYS", "LOST KEYS", true},
    {"?FAULT ?KEYS", "[FAULT 419] LOST KEYS", true},
    {"?FAULT ?KEYS", "[INFO] OPEN DOOR", false},
    {"\"INNER DOOR FAULT\"", "[FAULT 500] INNER DOOR FAULT", true},
    {"\"INNER DOOR FAULT\"", "[FAULT 500] INNER FAULT, DOOR", false},
    {"FAULT -KEYS", "[FAULT 400] NO DOOR", true},
    {"FAULT -KEYS", "[FAULT 401] CLOSED DOOR", true},
    {"FAULT -KEYS", "[FAULT 419] LOST KEYS", false},
    {"FAULT -KEYS", "NO DOOR", false},
    {"\" \"", "anything", true},
    {"\" \"", "", true},
    {"", "anything", true},
    {"", "", true},
    /* of an earlier edition of the guide */
    {"FAULT", "Exiting with FAULTCODE: -1", true},
    {"\"FAULT\" - \"Exiting\"", "Exiting with FAULTCODE: -1", false},
    {"\"FAULT\" - \"Exiting\"", "[FAULT] the end", true},
    {"FAULT Exception", "[FAULT] Caught IllegalDoorException", true},
    {"?FAULT ?WARN", "WARN message", true},
    {"FAULT WARN", "FAULT WARN message", true},
    {"FAULT WARN", "FAULT message", false},
    {"FAULT -WARN", "FAULT message", true},
    {"FAULT -WARN", "FAULT WARN message", false},

    /* what the guide leaves open */
    {"-x", "abc", true},
    {"-x", "axc", false},
    {"-x -y", "ayc", false},
    {"-x", "", true},
    {"x", "", false},
    {"\"\"", "", true},
    {"-\" \"", "abc", false},
    {"a a a", "a", true},
    {"aab", "aaab", true},
    {"abab", "abaabab", true},
    {"abcabd", "abcabcabd", true},
    {"abcabd", "abcabcab", false},
    {"\"a*c\"", "abc", false},
    {"\"a*c\"", "xa*cx", true},
    {"\"tab\ther\"", "a tab\there", true},
    {"\"\\\"x\\\"\"", "say \"x\" now", true},
    {"\"\\\\n\"", "a\\nb", true},
    {"\"\\n\"", "a\\nb", true},
    {"\"\\n\"", "a\nb", false},
    {"\"a\nb\"", "a\nb", true},
    {"\"ab \"", "ab", false},
    {"\"ab \"", "ab c", true},
    {"\xc3\xa4", "b\xc3\xa4r", true},
    {"\xc3\xa4", "b\xc3\x84r", false},
    {"end", "at the end", true},
    {"FAULT", "{\"level\":\"FAULT\"}", true},
    {"\"\\\"level\\\":\\\"FAULT\\\"\"", "{\"level\":\"FAULT\"}", true},
    {"-level", "{\"level\":\"FAULT\"}", false},

    /* --- objects: the guide's examples of numbers --- */
    {"{ $.width > 75 }", "{\"width\":76}", true},
    {"{ $.width > 75 }", "{\"width\":75}", false},
    {"{ $.delay < 50 }", "{\"delay\":49.5}", true},
    {"{ $.delay < 50 }", "{\"delay\":50}", false},
    {"{ $.rate >= 60 }", "{\"rate\":60}", true},
    {"{ $.rate >= 60 }", "{\"rate\":59.99}", false},
    {"{ $.time <= 5 }", "{\"time\":5}", true},
    {"{ $.time <= 5 }", "{\"time\":5.01}", false},
    {"{ $.code = 400}", "{\"code\":400}", true},
    {"{ $.code = 400}", "{\"code\":401}", false},
    {"{ $.code != 500 }", "{\"code\":400}", true},
    {"{ $.code != 500 }", "{\"code\":500}", false},
    {"{ $.list[0] = 1e+3 }", "{\"list\":[1000]}", true},
    {"{ $.list[0] = 1e+3 }", "{\"list\":[1,1000]}", false},
    {"{ $.list[0] != 1e-3 }", "{\"list\":[0.01]}", true},
    {"{ $.list[0] != 1e-3 }", "{\"list\":[0.001]}", false},
    {"{ $.numbers[0] < 10e3 }", "{\"numbers\":[9999]}", true},
    {"{ $.processes[4].mean <= 55.5 }", "{\"processes\":[0,1,2,3,{\"mean\":55.5}]}", true},
    {"{ $.latency > +1000 }", "{\"latency\":1000.1}", true},
    {"{ $.latency = * }", "{\"latency\":0}", true},
    {"{ $.latency = * }", "{\"other\":0}", false},

    /* of strings, elements, and the rest */
    {"{ $.kind = \"OpenDoor\" }", EVENT, true},
    {"{ $.kind = \"OpenDoo\" }", EVENT, false},
    {"{ $.address != 77.20.* }", EVENT, true},
    {"{ $.address != 10.20.* }", EVENT, false},
    {"{ $.list[0] = \"first\" }", EVENT, true},
    {"{ $.list[1] = \"first\" }", EVENT, false},
    {"{ $.list[2] = \"first\" }", EVENT, false},
    {"{ $.kind[0] = \"first\" }", EVENT, false},
    {"{ $.things[1].id = 2 }", EVENT, true},
    {"{ $.things[0].id = 2 }", EVENT, false},
    {"{ $.things[1].number = 2 }", EVENT, false},
    {"{ $.list[*] = \"the second\" }", EVENT, true},
    {"{ $.list[*] = second }", EVENT, false},
    {"{ $.things[*].id = 2 }", EVENT, true},
    {"{ $.things[*].id > 2 }", EVENT, false},
    {"{ $.* = 10.20.30.* }", EVENT, true},
    {"{ $.* = 10.20.31.* }", EVENT, false},
    {"{ $.['room.name'] = \"c\" }", EVENT, true},
    {"{ $.[\"room.name\"] = \"c\" }", EVENT, true},
    {"{ $['room.name'] = c }", EVENT, true},
    {"{ $.room.name = \"c\" }", EVENT, false},
    {"{ $.nothing IS NULL }", EVENT, true},
    {"{ $.kind IS NULL }", EVENT, false},
    {"{ $.absent IS NULL }", EVENT, false},
    {"{ $.absent NOT EXISTS }", EVENT, true},
    {"{ $.nothing NOT EXISTS }", EVENT, false},
    {"{ $.yes IS TRUE }", EVENT, true},
    {"{ $.yes IS FALSE }", EVENT, false},
    {"{ $.no IS FALSE }", EVENT, true},
    {"{ $.no IS TRUE }", EVENT, false},
    {"{ $.kind IS TRUE }", EVENT, false},

    /* compound expressions */
    {"{ ($.user.id = 1) && ($.users[0].mail = \"two@example.org\") }", PEOPLE, true},
    {"{ $.user.mail = \"one@example.org\" || $.table[0][1] = \"not\" && $.verbs[2] = \"not\" }",
     PEOPLE, true},
    {"{ ($.user.mail = \"one@example.org\" || $.table[0][1] = \"not\") && $.verbs[2] = \"not\" }",
     PEOPLE, false},
    {"{ ($.user.id = 2 && $.users[0].mail = \"not\") || $.verbs[2] = \"TAKE\" }", PEOPLE, false},
    {"{ $.verbs[2] = not && $.table[0][1] = not || $.user.id = 1 }", PEOPLE, true},
    {"{ $.verbs[2] = not && ($.table[0][1] = not || $.user.id = 1) }", PEOPLE, false},
    {"{ $.table[1][0] = 4 && $.table[2][2] = 9 && $.table[0][0] = 0 }", PEOPLE, true},
    {"{ $.table[*][0] = 7 && $.table[*][*] = 5 }", PEOPLE, true},
    {"{ $.table[*][1] = 7 }", PEOPLE, false},
    {"{ ((($.user.id = 1))) }", PEOPLE, true},
    {"{ $.a = 1 || $.b = 1 || $.user.id = 1 && $.c = 1 || $.user.id = 1 }", PEOPLE, true},
    {"{ $.a NOT EXISTS && $.user.id NOT EXISTS }", PEOPLE, false},
    {"{ $.a NOT EXISTS && $.user.b NOT EXISTS && $.users[2] NOT EXISTS }", PEOPLE, true},
    {"{ $.user NOT EXISTS }", PEOPLE, false},
    {"{ $.users[1] NOT EXISTS || $.users[*].id NOT EXISTS }", PEOPLE, false},
    {"{ $.user NOT EXISTS || $.user.id = 1 }", PEOPLE, true},
    {"{ $.user.id NOT EXISTS || $.user NOT EXISTS }", PEOPLE, false},
    {"{ $.foo = bar || $.foo = baz }", "{\"foo\":\"baz\"}", true},

    /* the guide's examples elsewhere: of subscription filters, of metrics, and of alarms about what an account does */
    {"{$.userIdentity.type = Root}", TRAIL("Root"), true},
    {"{$.userIdentity.type = Root}", TRAIL("IAMUser"), false},
    {"{$.userIdentity.type=\"Root\" && $.userIdentity.invokedBy NOT EXISTS && "
     "$.eventType !=\"AwsServiceEvent\"}",
     TRAIL("Root"), true},
    {"{$.userIdentity.type=\"Root\" && $.userIdentity.invokedBy NOT EXISTS && "
     "$.eventType !=\"AwsApiCall\"}",
     TRAIL("Root"), false},
    {"{($.eventName=DeleteGroupPolicy)||($.eventName=ConsoleLogin)||($.eventName=PutRolePolicy)}",
     TRAIL("x"), true},
    {"{ ($.eventName = ConsoleLogin) && ($.errorMessage = \"Failed authentication\") }", TRAIL("x"),
     true},
    {"{ ($.eventName = ConsoleLogin) && ($.errorMessage = \"Failed\") }", TRAIL("x"), false},
    {"{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }",
     TRAIL("x"), true},
    {"{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"Denied*\") }", TRAIL("x"),
     false},

    /* as the service has been seen to do it */
    {"{ $.s = 111.111.111.111 }", VALUES, true},
    {"{ $.s = \"*\" }", VALUES, true},
    {"{ $.empty = \"*\" }", VALUES, true},
    {"{ $.empty = * }", VALUES, true},
    {"{ $.empty = \"\" }", VALUES, true},
    {"{ $.empty != \"\" }", VALUES, false},
    {"{ $.s = *.111.111.111 }", VALUES, true},
    {"{ $.s != *222 }", VALUES, true},
    {"{ $.s != 111 }", VALUES, true},
    {"{ $.s = 123 }", VALUES, false},
    {"{ $.s > 100 }", VALUES, false},
    {"{ $.s <= 100 }", VALUES, false},
    {"{ $.i = \"123\" }", VALUES, true},
    {"{ $.i = \"123.0\" }", VALUES, false},
    {"{ $.i != \"123.0\" }", VALUES, true},
    {"{ $.i = 123.0 }", VALUES, true},
    {"{ $.i = 1* }", VALUES, true},
    {"{ $.i = *23 }", VALUES, true},
    {"{ $.i = \"*3\" }", VALUES, true},
    {"{ $.i != 1*3 }", VALUES, false},
    {"{ $.i != 3* }", VALUES, true},
    {"{ $.f = 12.34 }", VALUES, true},
    {"{ $.f = \"12.*\" }", VALUES, true},
    {"{ $.f = *.34 }", VALUES, true},
    {"{ $.z = 12 }", VALUES, true},
    {"{ $.z != \"12\" }", VALUES, true},
    {"{ $.o = 1 }", VALUES, false},
    {"{ $.o != 1 }", VALUES, false},
    {"{ $.a != \"x\" }", VALUES, false},
    {"{ $.o = * }", VALUES, false},

    /* what is open */
    {"{ $.s = *11 }", VALUES, true},
    {"{ $.s = 1*1*1 }", VALUES, true},
    {"{ $.s = 111*.*111 }", VALUES, true},
    {"{ $.s = 111.111.111.111* }", VALUES, true},
    {"{ $.s = 111.111.111.111*1 }", VALUES, false},
    {"{ $.s = *1111* }", VALUES, false},
    {"{ $.s = *1.1*1.1*1.1* }", VALUES, true},
    {"{ $.s = *1.1*1.1*1.1*1.1* }", VALUES, false},
    {"{ $.num = 123 }", VALUES, true},
    {"{ $.num = 123.0 }", VALUES, false},
    {"{ $.num != 123.0 }", VALUES, true},
    {"{ $.num > 100 }", VALUES, false},
    {"{ $.e = 1000 }", VALUES, true},
    {"{ $.e = \"1E3\" }", VALUES, true},
    {"{ $.e = \"1000\" }", VALUES, false},
    {"{ $.e >= 1e3 && $.e <= 0.1e4 }", VALUES, true},
    {"{ $.n < 0 && $.n > -5.5 && $.n != 5 }", VALUES, true},
    {"{ $.big = 9007199254740993 }", VALUES, true},
    {"{ $.big = 9007199254740992 }", VALUES, false},
    {"{ $.big > 9007199254740992 }", VALUES, true},
    {"{ $.nil = * }", VALUES, false},
    {"{ $.nil != x }", VALUES, false},
    {"{ $.t = true }", VALUES, false},
    {"{ $.t != true }", VALUES, false},
    {"{ $.absent != 1 }", VALUES, false},
    {"{ $.absent = * }", VALUES, false},
    {"{ $.esc = \"say \\\"hi\\\"\n\xc3\xa4\" }", VALUES, true},
    {"{ $.esc = *hi* && $.esc = \"*\xc3\xa4\" }", VALUES, true},
    {"{ $.esc = \"*\\\\*\" }", VALUES, false},
    {"{ $.esc[0] = * }", VALUES, false},
    /* a backslash that is one, by its own escape or by number; of what looks like another escape then */
    {"{ $.a = \"\\\\x\" }", "{\"a\":\"\\u005cx\"}", true},
    {"{ $.a = \"x\\\\n\" && $.a = \"x\\\\n*\" && $.a != \"x\n*\" }", "{\"a\":\"x\\\\n\"}", true},
    {"{ $.a.b = * && $.a = 1* }", "{\"a\":{\"b\":\"111111\\n111111\"}}", false},
    {"{ $.a.b = *1 && $.a.c = *2 }", "{\"a\":{\"b\":\"\\n1\",\"c\":\"\\n2\"}}", true},
    {"{ $.o.a = 1 && $.o[0] NOT EXISTS && $.o.* = 1 && $.a[*] = 1 }", VALUES, true},
    {"{ $.o[*] = 1 || $.a.* = 1 }", VALUES, false},
    {"{ $.i.x = 1 || $.s.x = 1 || $.nil.x = 1 }", VALUES, false},
    {"{ $.x = 1 }", "{\"x\":1,\"x\":2}", true},
    {"{ $.x = 2 }", "{\"x\":1,\"x\":2}", true},
    {"{ $.x.y = 2 }", "{\"x\":{\"y\":1},\"x\":{\"y\":2}}", true},
    {"{ $.x.y != 2 }", "{\"x\":{\"z\":1}}", false},
    {"{ $.[\"\"] = 2 }", "{\"\":2}", true},
    {"{ $.a = 1 }", "{ \"a\" :\t1 }", true},
    {"{ $.a = 1 }", " \n{\"a\":1} \t\r\n", true},
    {"{ $.a = 1 }", "{}", false},
    {"{ $.a NOT EXISTS }", "{}", true},
    {"{ $.a NOT EXISTS }", "[]", false},
    {"{ $.a NOT EXISTS }", "text", false},
    {"{ $.a NOT EXISTS }", "", false},
    {"{ $.a NOT EXISTS }", "12", false},
    {"{ $.a NOT EXISTS }", "{} {}", false},
    {"{ $.a NOT EXISTS }", "{]", false},
    {"{ $.a = 1 }", "{\"a\":1,}", false},
    {"{ $.a = 1 }", "{\"a\":1} x", false},
    {"{ $.a = 1 }", "{\"a\":1,\"b\":nil}", false},
    {"{ $.a = 1 }", "x {\"a\":1}", false},
    {"{ $.[0] = 1 }", "[1]", false},
    {"{ $.a.b = 1 }", "{\"a\":{\"b\":1},\"c\"}", false},
    {"{ $.a.b = 1 }", "{\"a\":{\"b\":1,}}", false},
    {"{ $.b.c.d.e[0][1].f = x }",
     "{\"a\":{\"c\":2},\"b\":{\"c\":{\"d\":{\"e\":[[0,{\"f\":\"x\"}]]}}}}", true},
    {"{$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1}",
     "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
     "{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}",
     true},
    {"{ $.* IS NULL && $.*.x = 1 }", "{\"a\":{\"x\":1},\"b\":null}", true},
    {"{ $.list[*] != a }", "{\"list\":[\"a\",\"b\"]}", true},
    {"{ $.list[*] != a }", "{\"list\":[\"a\",\"a\"]}", false},
    /* --- names that come again: any of their values will do --- */
    {"{ $.a = 1 && $.b = 2 }", "{\"a\":0,\"b\":2,\"a\":1}", true},
    {"{ $.a = 1 && $.b = 2 }", "{\"a\":0,\"b\":2,\"c\":\"a\"}", false},
    {"{ $.a = 1 }", "{\"a\":0,\"b\":{\"a\":1}}", false},
    {"{ $.a.b = 1 && $.c = * }", "{\"a\":{\"b\":0,\"b\":1},\"c\":3}", true},
    {"{ $.a.b = 1 && $.c = * }", "{\"a\":{\"b\":0},\"c\":3,\"a\":{\"b\":1}}", true},
    {"{ $.*.b = 1 && $.c = * }", "{\"a\":{\"b\":0},\"c\":3,\"d\":{\"b\":1}}", true},
    {"{ $.a[0] = 1 && $.b = * }", "{\"a\":[0],\"b\":3,\"a\":[1]}", true},
    {"{ $.a.* = 1 && $.b = * }", "{\"a\":{\"x\":0,\"y\":1},\"b\":3}", true},
    {"{ $.a = 1 || $.b = 2 }", "{\"a\":0,\"b\":2}", true},
    {"{ $.[\"\"] = 1 && $.b = * }", "{\"\":0,\"b\":\"\",\"\":1}", true},

    /* --- fields; the guide's examples, without those that have regular expressions --- */
    {"[ip, user, name, time, request =*.html*, status = 4*, bytes]", ACCESS, true},
    {"[ip, user, name, time, request =*.png*, status = 4*, bytes]", ACCESS, false},
    {"[..., request =*.html*, status = 4*, bytes]", ACCESS, true},
    {"[..., request =*.html*, status = 5*, bytes]", ACCESS, false},
    {"[ip, user, name, time, request =*.html*, status = 404 || status = 410, bytes]", ACCESS, true},
    {"[ip, user, name, time, request =*.html*, status = 400 || status = 410, bytes]", ACCESS,
     false},
    {"[w1=ERROR, w2]", "ERROR 20/11/2026 12:00:02 Could not open the door", true},
    {"[w1=ERROR, w2]", "WARNING 20/11/2026 12:00:02 Knocked in vain", false},
    {"[w1=ERROR || w1=WARNING, w2]", "WARNING 20/11/2026 12:00:02 Knocked in vain", true},
    {"[w1=ERROR || w1=WARNING, w2]", "INFO 20/11/2026 12:00:00 GET /doors/67 1200", false},
    {"[w1!=ERROR && w1!=WARNING, w2]", "INFO 20/11/2026 12:00:00 GET /doors/67 1200", true},
    {"[w1!=ERROR && w1!=WARNING, w2]", "ERROR 20/11/2026 12:00:02 Could not", false},
    {"[level, date, time, method, url=\"/doors/*\", ms]",
     "INFO 20/11/2026 12:00:01 POST /doors/67/part/111 1310", true},
    /* of its earlier edition */
    {"[..., status, bytes]", ACCESS, true},
    {"[ip, user, ..., status, bytes]", ACCESS, true},
    {"[ip, user, ...]", ACCESS, true},
    {"[ip, user, name, time, request, status, bytes > 1000]", ACCESS, true},
    {"[ip, user, name, time, request, status, bytes > 1534]", ACCESS, false},
    {"[ip, user, name, time, request, status = 404, bytes]", ACCESS, true},
    {"[ip, user, name, time, request, status = 4* && status != 403, bytes]", ACCESS, true},
    {"[ip, user, name, time, request, status = 4* && status != 404, bytes]", ACCESS, false},
    {"[..., request=*.html*, status=4*,]", ACCESS, true},
    {"[ip, id, user, timestamp, request, status_code, size]", ACCESS, true},
    {"[ip, id, user, timestamp, request, status_code=4*, size]", ACCESS, true},
    {"[ip, id, user, timestamp, request, status_code=2*, size]", ACCESS, false},
    {"[IP, UserInfo, User, Timestamp, RequestInfo, StatusCode=404, Bytes]", ACCESS, true},
    {"[IP, UserInfo, User, Timestamp, RequestInfo, StatusCode=403, Bytes]", ACCESS, false},

    /* what is between quotation marks or brackets is one field */
    {"[a, b, c, time=\"20/Nov/2026:13:25:15 -0700\", ...]", ACCESS, true},
    {"[a, b, c, d, request=\"GET /door.html HTTP/1.0\", ...]", ACCESS, true},
    {"[a=x, b=y]", "\"x\" [y]", true},
    {"[a=\"\", b=y]", "[] \"y\"", true},
    {"[a=\"x]\", b=y]", "\"x]\" y", true},
    {"[a=\"[x\", b=\"y\\\" z\"]", "[x y\" z", true},
    {"[a=x, b=\"\\\"y z\"]", "x \"y z", true},
    {"[a=\"\\\"\"]", "\"", true},
    {"[a=\"[\"]", "[", true},
    {"[a=x, b=y]", "\"x\"y", true},
    {"[a=\"x\\\"y\\\"\", b=z]", "x\"y\" z", true},
    {"[a=\"[b\", b=\"c]\", c]", "\"[b\" [c] d", false},
    {"[a=\"[b\", b=c, c]", "\"[b\" [c] d", true},

    /* how many there are */
    {"[a]", "", false},
    {"[a]", " \t ", false},
    {"[]", "x", true},
    {"[a=x]", "x", true},
    {"[a=x]", "  x\t", true},
    {"[a=x]", "x y", false},
    {"[a=\"x y\"]", "x y", true},
    {"[a=\"x y\"]", " \t x y", true},
    {"[a=\"x y \"]", "x y ", true},
    {"[a=x, b=\"y z\"]", "x\t y z", true},
    {"[a, b]", "x", false},
    {"[a=x, b=y]", "x\ty", true},
    {"[a=x, b=y]", "x \t \n y", true},
    {"[a, b=\"y z\"]", "x y z", true},
    {"[a, b=\"\\\"y\\\" z\"]", "x \"y\" z", true},
    {"[a, b=\"y z\"]", "x \"y z\"", true},
    {"[...]", "", true},
    {"[...]", "x y", true},
    {"[..., z=z]", "z", true},
    {"[..., z=z]", "", false},
    {"[..., z=z]", "a b c z", true},
    {"[..., z=z]", "a b z c", false},
    {"[a=a, ..., z=z]", "a z", true},
    {"[a=a, ..., z=z]", "a", false},
    {"[a=a, ..., z=z]", "a b c d e z", true},
    {"[a=a, ..., x=x, y=y, z=z]", "a b c x y z", true},
    {"[a=a, ..., x=x, y=y, z=z]", "a b x y z", true},
    {"[a=a, ..., x=x, y=y, z=z]", "a x y z", true},
    {"[a=a, ..., x=x, y=y, z=z]", "a x y z z", false},
    {"[a=a, ...]", "a b c", true},
    {"[a, b=b, ...]", "a b c d", true},
    {"[a, b=b, ...]", "a c b d", false},

    /* numbers and text */
    {"[a > 5]", "6", true},
    {"[a > 5]", "6x", false},
    {"[a < 5]", "-6", true},
    {"[a = 200]", "200.0", true},
    {"[a != 200]", "2e2", false},
    {"[a = \"200\"]", "200.0", false},
    {"[a != 200]", "x", true},
    {"[a = 2*]", "200", true},
    {"[a >= 2 && a <= 4 || a = x]", "3", true},
    {"[a >= 2 && a <= 4 || a = x]", "5", false},
    {"[a >= 2 && a <= 4 || a = x]", "x", true},
    {"[a >= 2 && (a <= 4 || a = x)]", "x", false},
    {"[stamp=*Z, request=\"*-*\", event]", "2026-11-20T10:00:00.000Z\tab-cd\tINFO\tx", true},
    {"[kind=REPORT, a, b, c, ms > 700, ...]",
     "REPORT RequestId: 5002\tDuration: 741.17 ms\tBilled Duration: 800 ms\t", true},
    {"[kind=REPORT, a, b, c, ms > 800, ...]",
     "REPORT RequestId: 5002\tDuration: 741.17 ms\tBilled Duration: 800 ms\t", false},
};

static void
read_pattern(const char *text)
{
    struct filter_error error = {0, ""};

    if (filter_pattern_read(&pattern, text, &error) != 0)
        fail_msg("%s: %s at %zu", text, error.reason, error.column);
}

/* The record at an unreadable page, and just as much room as it needs. */
static bool
match(struct span record)
{
    record = guard_copy(record);
    return filter_match(&pattern, record, record.p, NULL, guard_buffer(record.len));
}

/* The same of an object within an event, whose marks are known. */
static bool
match_marked(struct span object)
{
    static char text[4096];
    struct json_marks marks = {0};
    struct json_scan scan = {.marks = &marks};
    struct out o = out_to(text, sizeof text);
    struct span event;

    out_put(&o, SPAN("{\"type\":\"function\",\"record\":"));
    out_put(&o, object);
    event = guard_copy(out_span(&o));
    object.p = event.p + (event.len - object.len);
    (void)json_scan_container(&scan, event.p, event.p + event.len);
    return filter_match(&pattern, object, event.p, &marks, guard_buffer(object.len));
}

/* Where nothing but white space follows. */
static size_t
end_of(const char *line)
{
    size_t len = strlen(line);

    while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
        len--;
    return len;
}

/* Whether nothing is wrong with it: what has marks is a whole value, and looked at only as far as need be. */
static bool
is_sound(struct span line)
{
    struct json_walk w;
    struct span name;
    struct span value;
    int got = json_walk_open(&w, line);

    while (got == 0 && (got = json_walk_next(&w, &name, &value)) == 1)
        got = 0;
    return got == 0 && json_value(line) == (int)end_of(line.p) && strstr(line.p, ":1,}}") == NULL;
}

/* An object gives the same answer as a record and as a string. */
static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span line = span_of(rows[i].line);
        char name[1024];

        snprintf(name, sizeof name, "%s | %s", rows[i].pattern, rows[i].line);
        read_pattern(rows[i].pattern);
        CHECK_INT(name, match(as_string(line, AS_NEEDED)), rows[i].want);
        CHECK_INT(name, match(as_string(line, 0)), rows[i].want);
        if (line.len > 0 && line.p[0] == '{') {
            CHECK_INT(name, match(line), rows[i].want);
            if (is_sound(line))
                CHECK_INT(name, match_marked(line), rows[i].want);
        }
    }
}

/* More strings than there are marks for: what follows may be anything. */
static void
unmarked(void **state)
{
    static char text[4096];
    struct out o = out_to(text, sizeof text);

    (void)state;
    out_put(&o, SPAN("{\"a\":0"));
    for (size_t i = 0; i < JSON_MARKS_MAX; i++)
        out_put(&o, SPAN(",\"x\":1"));
    out_put(&o, SPAN(",\"a\":1}"));
    read_pattern("{ $.a = 1 }");
    CHECK("a name again behind many", match_marked(out_span(&o)));
}

static void
newline(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char line[1024];

        snprintf(line, sizeof line, "%s\n", rows[i].line);
        read_pattern(rows[i].pattern);
        CHECK_INT(line, match(as_string(span_of(line), AS_NEEDED)), rows[i].want);
    }
}

/* Cut anywhere: no object matches. Of the rest, nothing beyond the end is looked at. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        read_pattern(rows[i].pattern);
        for (size_t n = 0; n < strlen(rows[i].line); n++) {
            struct span line = {rows[i].line, n};
            bool got = match(as_string(line, n % 2 == 0 ? 0 : AS_NEEDED));

            if (rows[i].pattern[0] == '{' && n < end_of(rows[i].line) && rows[i].want)
                CHECK(rows[i].pattern, !got);
            if (n > 0 && line.p[0] == '{')
                CHECK_INT(rows[i].pattern, match(line), got);
        }
    }
}

/* The rows for the seeds of the fuzz target: pattern, newline, line. */
static void
seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[2048];

        snprintf(text, sizeof text, "%s\n%s", rows[i].pattern, rows[i].line);
        if (strchr(rows[i].pattern, '\n') == NULL)
            seed("filter_pattern", span_of(text));
    }
}

/* Lines of a mebibyte that begin, go on and end like this, and how many steps a byte they may cost. */
static const struct {
    const char *name, *pattern, *first, *middle, *last;
    bool want;
    unsigned most;
} long_lines[] = {
    {"one term", "x", "\"", "a", "\"", false, 1},
    {"one term at the end", "x", "\"", "a", "x\"", true, 1},
    {"one term, begun all the time", "ab", "\"", "a", "\"", false, 2},
    {"long term", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "\"", "a", "\"", false, 2},
    {"long term, at the end", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "\"", "a", "b\"", true,
     2},
    {"term of periods", "abaababaabaababaababaabaababaabaab_", "\"",
     "abaababaabaababaababaabaababaabaab", "\"", false, 2},
    {"eight terms", "aab aac aad aae aaf aag aah aai", "\"", "a", "\"", false, 16},
    {"eight that are not there", "-aab -aac -aad -aae -aaf -aag -aah -aai", "\"", "a", "\"", true,
     16},
    {"any of eight", "?aab ?aac ?aad ?aae ?aaf ?aag ?aah ?aai", "\"", "a", "\"", false, 16},
    {"escapes", "aab", "\"", "\\u0061", "\"", false, 2},
    {"object that is text", "aab", "{\"a\":\"", "a", "\"}", false, 2},

    {"stars", "{$.a=*aab*aab*aab*aab*aab*aab*aab*aab*}", "{\"a\":\"", "a", "\"}", false, 3},
    {"stars, all but the last", "{$.a=*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b}", "{\"a\":\"", "a", "\"}",
     false, 2},
    {"stars, and behind them all", "{$.a=*aa*aa*aa*aa*ab*}", "{\"a\":\"", "a", "\"}", false, 3},
    {"stars in escapes", "{$.a=*aab*}", "{\"a\":\"", "\\u0061", "\"}", false, 3},
    {"stars in an object in a string", "{$.a=*aab*}", "\"{\\\"a\\\":\\\"", "a", "\\\"}\"", false,
     4},
    {"number", "{$.a>5}", "{\"a\":", "1", "}", true, 2},
    {"number that is none", "{$.a>5}", "{\"a\":\"", "1", "\"}", false, 2},
    {"members", "{$.a=2}", "{\"b\":1", ",\"a\":1", "}", false, 2},
    {"members, eight tests", "{$.a=2||$.a=3||$.a=4||$.a=5||$.a=6||$.a=7||$.a=8||$.a=9}", "{\"b\":1",
     ",\"a\":1", "}", false, 7},
    {"elements", "{$.a[*]=2}", "{\"a\":[1", ",1", "]}", false, 3},
    {"elements far behind", "{$.a[65535]=1}", "{\"a\":[1", ",1", "]}", true, 3},
    {"short elements, long text",
     "{$.a[*]=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx*}", "{\"a\":[1", ",1", "]}",
     false, 3},
    {"objects within elements", "{$.a[*].b=2}", "{\"a\":[1", ",{\"b\":1}", "]}", false, 3},
    {"deep, not asked for", "{$.b=1}", "{\"a\":", "[[[[[[[]]]]]]]", "}", false, 2},
    {"wild", "{$.*.*.*=1}", "{\"a\":{\"b\":{\"c\":2", ",\"d\":2", "}}}", false, 3},
    {"blanks", "{$.a=1}", "{\"a\":1", " ", "}", true, 2},

    {"fields", "[...,a=y,b=x,c=x]", "\"", "x ", "\"", false, 2},
    {"fields in brackets", "[...,a=y]", "\"", "[x]", "\"", false, 4},
    {"brackets that are not closed", "[...,a=y]", "\"", "[x ", "\"", false, 4},
    {"quotation marks that are not closed", "[...,a=y]", "\"", "[ \\u0022x\\u0022 \\u0022", "\"",
     false, 4},
    {"brackets in quotation marks", "[...,a=y]", "\"", "\\\"[\\\" ", "\"", false, 4},
    {"no fields", "[...,a=y]", "\"", " ", "\"", false, 2},
    {"one field", "[a=*aab*]", "\"", "a", "\"", false, 4},
    {"the rest", "[a,b=*aab*]", "\"", "a ", "\"", false, 4},
};

static void
effort(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(long_lines); i++) {
        const char *name = long_lines[i].name;
        struct span record =
            long_line(long_lines[i].first, long_lines[i].middle, long_lines[i].last);

        read_pattern(long_lines[i].pattern);
        CHECK_STEPS(name, CHECK_INT(name, match(record), long_lines[i].want), record.len,
                    long_lines[i].most);
    }
}

/* As much as a pattern may have at once, over a line of the hardest kind: 32 texts. */
static void
most_effort(void **state)
{
    struct span line = long_line("\"", "a", "\"");
    char text[FILTER_PATTERN_MAX_BYTES + 1] = "";

    (void)state;
    for (int i = 0; i < FILTER_TESTS_MAX; i++)
        strcat(text, "?aaaaaaaaaaaaaaaaaaaaaaaaaaaab ");
    text[strlen(text) - 1] = '\0';
    read_pattern(text);
    CHECK_STEPS("32 terms", assert_false(match(line)), line.len, 64);
#ifdef CHECKED
    assert_true(line_steps > line.len * 32);
#endif
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),       cmocka_unit_test(newline), cmocka_unit_test(unmarked),
        cmocka_unit_test(cut),         cmocka_unit_test(seeds),   cmocka_unit_test(effort),
        cmocka_unit_test(most_effort),
    };

    return RUN(argc, argv, tests);
}

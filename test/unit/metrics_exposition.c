/* Prometheus's text format: families, labels, histograms. */
#include "test/check.h"

#include "base/mem.h"
#include "metrics/exposition.h"

static void test_page(void)
{
	static const double bounds[] = {0.5, 1, 10};
	struct histogram h = {.bounds = bounds, .bound_count = COUNT_OF(bounds)};
	struct exposition e = {.common = "node_id=\"n\""};

	exposition_one(&e, "a_total", EXPOSITION_COUNTER, "Help.", 12345678901.0);
	exposition_family(&e, "b", EXPOSITION_GAUGE, "More.");
	exposition_sample(&e, "kind=\"audio\"", 0.25);
	histogram_observe(&h, 0.5); /* a bound is inside its bucket */
	histogram_observe(&h, 0.6);
	histogram_observe(&h, 11);
	exposition_histogram(&e, "c", "Sizes.", "dir=\"out\"", &h);
	CHECK(!e.failed);
	CHECK_STR((const char *)e.text.data,
		"# HELP a_total Help.\n# TYPE a_total counter\na_total{node_id=\"n\"} 12345678901\n"
		"# HELP b More.\n# TYPE b gauge\nb{node_id=\"n\",kind=\"audio\"} 0.25\n"
		"# HELP c Sizes.\n# TYPE c histogram\n"
		"c_bucket{node_id=\"n\",dir=\"out\",le=\"0.5\"} 1\n"
		"c_bucket{node_id=\"n\",dir=\"out\",le=\"1\"} 2\n"
		"c_bucket{node_id=\"n\",dir=\"out\",le=\"10\"} 2\n"
		"c_bucket{node_id=\"n\",dir=\"out\",le=\"+Inf\"} 3\n"
		"c_sum{node_id=\"n\",dir=\"out\"} 12.1\n"
		"c_count{node_id=\"n\",dir=\"out\"} 3\n");
	buf_fini(&e.text);
}

static void test_labels(void)
{
	char out[8];
	exposition_label(out, sizeof out, "a\"b\\\n");
	CHECK_STR(out, "a\\\"b\\\\");
	exposition_label(out, sizeof out, "0123456789");
	CHECK_STR(out, "012345");
}

static void test_no_memory(void)
{
	struct exposition e = {0};
	mem_fail_after(0);
	exposition_one(&e, "a", EXPOSITION_GAUGE, "Help.", 1);
	mem_fail_after(-1);
	CHECK(e.failed);
	buf_fini(&e.text);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	test_page();
	test_labels();
	test_no_memory();
	return 0;
}

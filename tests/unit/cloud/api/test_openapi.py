from cloud.api.app import create_api


def test_the_document_names_every_resource_and_its_problems(context):
    document = create_api(context).openapi()
    paths = document["paths"]
    for path in ("/zones", "/zones/{key}/series", "/lots/{key}/story", "/alarms/{alarm_id}/acknowledge", "/live"):
        assert f"/api/v1{path}" in paths
    answers = paths["/api/v1/zones/{key}"]["get"]["responses"]
    assert "application/problem+json" in answers["404"]["content"]


def test_every_operation_says_what_it_does(context):
    document = create_api(context).openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("description"), path


def test_times_are_described_with_an_example(context):
    schema = create_api(context).openapi()["components"]["schemas"]["ZoneList"]["properties"]["now"]
    assert (schema["format"], schema["examples"]) == ("date-time", ["2026-11-21T07:32:05.250Z"])

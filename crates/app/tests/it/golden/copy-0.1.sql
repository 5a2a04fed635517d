PRAGMA application_id=1399876420;
PRAGMA user_version=2;
BEGIN TRANSACTION;
CREATE TABLE _spoke_checkpoints (
  pipeline TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  -- the source's bytes; opaque here
  position BLOB NOT NULL,
  saved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "_spoke_checkpoints" VALUES('crm',6,X'7B2276657273696F6E223A322C22706F7274616C4964223A223432343234323432222C2273747265616D73223A7B22636F6D70616E696573223A7B226D6F6465223A22636463222C22696E697469616C54696D657374616D70223A22323032362D31322D30315430303A35313A34305A222C2273656C656374696F6E223A2265373066323234613463616338616331222C2274696D657374616D70223A22323032362D31322D30315430303A35313A34342E3332325A222C2264656C61796564223A7B2274696D657374616D70223A22323032362D31322D30315430303A35313A34305A227D2C226172636869766564223A7B226C617374223A22323032362D31322D30315430303A35313A34352E3136383137373036355A227D2C227265636F6E63696C65223A7B226C617374223A22323032362D31322D30315430303A35313A34305A227D7D2C22636F6E7461637473223A7B226D6F6465223A22636463222C22696E697469616C54696D657374616D70223A22323032362D31322D30315430303A35313A34305A222C2273656C656374696F6E223A2265373066323234613463616338616331222C2274696D657374616D70223A22323032362D31322D30315430303A35313A34342E3332355A222C2264656C61796564223A7B2274696D657374616D70223A22323032362D31322D30315430303A35313A34305A227D2C226172636869766564223A7B226C617374223A22323032362D31322D30315430303A35313A34352E3135383637303436345A227D2C227265636F6E63696C65223A7B226C617374223A22323032362D31322D30315430303A35313A34305A227D7D2C22636F6E74616374735F636F6D70616E696573223A7B226D6F6465223A22636F6D706C657465222C22696E697469616C54696D657374616D70223A22323032362D31322D30315430303A35313A34305A227D2C22636F6E74616374735F70726F70657274795F686973746F7279223A7B226D6F6465223A22636F6D706C657465222C22696E697469616C54696D657374616D70223A22323032362D31322D30315430303A35313A34305A227D7D7D','2026-12-01T00:51:45.777577148Z');
CREATE TABLE _spoke_columns (
  stream TEXT NOT NULL,
  field TEXT NOT NULL,
  "column" TEXT NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (stream, field)
) STRICT, WITHOUT ROWID;
INSERT INTO "_spoke_columns" VALUES('companies','_archived','_archived','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','_archived_at','_archived_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','_created_at','_created_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','_updated_at','_updated_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','about_us','about_us','string');
INSERT INTO "_spoke_columns" VALUES('companies','account_number','account_number','string');
INSERT INTO "_spoke_columns" VALUES('companies','address','address','string');
INSERT INTO "_spoke_columns" VALUES('companies','address2','address2','string');
INSERT INTO "_spoke_columns" VALUES('companies','annualrevenue','annualrevenue','number');
INSERT INTO "_spoke_columns" VALUES('companies','city','city','string');
INSERT INTO "_spoke_columns" VALUES('companies','cleared_field','cleared_field','string');
INSERT INTO "_spoke_columns" VALUES('companies','closedate','closedate','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','country','country','string');
INSERT INTO "_spoke_columns" VALUES('companies','createdate','createdate','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','credit_limit','credit_limit','number');
INSERT INTO "_spoke_columns" VALUES('companies','days_to_close','days_to_close','number');
INSERT INTO "_spoke_columns" VALUES('companies','description','description','string');
INSERT INTO "_spoke_columns" VALUES('companies','domain','domain','string');
INSERT INTO "_spoke_columns" VALUES('companies','erp_customer_since','erp_customer_since','date');
INSERT INTO "_spoke_columns" VALUES('companies','facebook_company_page','facebook_company_page','string');
INSERT INTO "_spoke_columns" VALUES('companies','facebookfans','facebookfans','number');
INSERT INTO "_spoke_columns" VALUES('companies','first_contact_createdate','first_contact_createdate','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','first_conversion_date','first_conversion_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','first_deal_created_date','first_deal_created_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','founded_year','founded_year','string');
INSERT INTO "_spoke_columns" VALUES('companies','googleplus_page','googleplus_page','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_additional_domains','hs_additional_domains','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_all_accessible_team_ids','hs_all_accessible_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_all_owner_ids','hs_all_owner_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_all_team_ids','hs_all_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_first_timestamp','hs_analytics_first_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_last_timestamp','hs_analytics_last_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_latest_source','hs_analytics_latest_source','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_latest_source_timestamp','hs_analytics_latest_source_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_num_page_views','hs_analytics_num_page_views','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_num_visits','hs_analytics_num_visits','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_source','hs_analytics_source','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_source_data_1','hs_analytics_source_data_1','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_analytics_source_data_2','hs_analytics_source_data_2','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_annual_revenue_currency_code','hs_annual_revenue_currency_code','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_avatar_filemanager_key','hs_avatar_filemanager_key','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_country_code','hs_country_code','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_created_by_user_id','hs_created_by_user_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_csm_sentiment','hs_csm_sentiment','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_date_entered_customer','hs_date_entered_customer','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_date_entered_lead','hs_date_entered_lead','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_employee_range','hs_employee_range','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_gps_coordinates','hs_gps_coordinates','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_ideal_customer_profile','hs_ideal_customer_profile','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_is_enriched','hs_is_enriched','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','hs_is_target_account','hs_is_target_account','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','hs_keywords','hs_keywords','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_last_booked_meeting_date','hs_last_booked_meeting_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_last_logged_call_date','hs_last_logged_call_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_last_open_task_date','hs_last_open_task_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_last_sales_activity_timestamp','hs_last_sales_activity_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_last_sales_activity_type','hs_last_sales_activity_type','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_lastmodifieddate','hs_lastmodifieddate','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_lead_status','hs_lead_status','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_logo_url','hs_logo_url','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_merged_object_ids','hs_merged_object_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_num_blockers','hs_num_blockers','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_num_child_companies','hs_num_child_companies','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_num_contacts_with_buying_roles','hs_num_contacts_with_buying_roles','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_num_decision_makers','hs_num_decision_makers','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_num_open_deals','hs_num_open_deals','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_object_id','hs_object_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_object_source','hs_object_source','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_object_source_detail_1','hs_object_source_detail_1','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_object_source_id','hs_object_source_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_object_source_label','hs_object_source_label','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_parent_company_id','hs_parent_company_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_pinned_engagement_id','hs_pinned_engagement_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_predictivecontactscore_v2','hs_predictivecontactscore_v2','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_read_only','hs_read_only','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','hs_revenue_range','hs_revenue_range','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_sales_email_last_replied','hs_sales_email_last_replied','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_shared_team_ids','hs_shared_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_shared_user_ids','hs_shared_user_ids','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_target_account','hs_target_account','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_target_account_probability','hs_target_account_probability','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_task_label','hs_task_label','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_time_in_lead','hs_time_in_lead','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_total_deal_value','hs_total_deal_value','number');
INSERT INTO "_spoke_columns" VALUES('companies','hs_unique_creation_key','hs_unique_creation_key','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_updated_by_user_id','hs_updated_by_user_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_user_ids_of_all_owners','hs_user_ids_of_all_owners','string');
INSERT INTO "_spoke_columns" VALUES('companies','hs_v2_date_entered_current_stage','hs_v2_date_entered_current_stage','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hs_was_imported','hs_was_imported','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','hubspot_owner_assigneddate','hubspot_owner_assigneddate','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','hubspot_owner_id','hubspot_owner_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','hubspot_team_id','hubspot_team_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','id','id','string');
INSERT INTO "_spoke_columns" VALUES('companies','industry','industry','string');
INSERT INTO "_spoke_columns" VALUES('companies','internal_note','internal_note','string');
INSERT INTO "_spoke_columns" VALUES('companies','is_public','is_public','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','is_strategic','is_strategic','boolean');
INSERT INTO "_spoke_columns" VALUES('companies','lifecyclestage','lifecyclestage','string');
INSERT INTO "_spoke_columns" VALUES('companies','linkedin_company_page','linkedin_company_page','string');
INSERT INTO "_spoke_columns" VALUES('companies','linkedinbio','linkedinbio','string');
INSERT INTO "_spoke_columns" VALUES('companies','name','name','string');
INSERT INTO "_spoke_columns" VALUES('companies','notes_last_contacted','notes_last_contacted','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','notes_last_updated','notes_last_updated','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','notes_next_activity_date','notes_next_activity_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','num_associated_contacts','num_associated_contacts','number');
INSERT INTO "_spoke_columns" VALUES('companies','num_associated_deals','num_associated_deals','number');
INSERT INTO "_spoke_columns" VALUES('companies','num_contacted_notes','num_contacted_notes','number');
INSERT INTO "_spoke_columns" VALUES('companies','num_conversion_events','num_conversion_events','number');
INSERT INTO "_spoke_columns" VALUES('companies','num_notes','num_notes','number');
INSERT INTO "_spoke_columns" VALUES('companies','numberofemployees','numberofemployees','number');
INSERT INTO "_spoke_columns" VALUES('companies','owneremail','owneremail','string');
INSERT INTO "_spoke_columns" VALUES('companies','ownername','ownername','string');
INSERT INTO "_spoke_columns" VALUES('companies','phone','phone','string');
INSERT INTO "_spoke_columns" VALUES('companies','recent_conversion_date','recent_conversion_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','recent_deal_amount','recent_deal_amount','number');
INSERT INTO "_spoke_columns" VALUES('companies','recent_deal_close_date','recent_deal_close_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('companies','regions','regions','string');
INSERT INTO "_spoke_columns" VALUES('companies','state','state','string');
INSERT INTO "_spoke_columns" VALUES('companies','timezone','timezone','string');
INSERT INTO "_spoke_columns" VALUES('companies','total_money_raised','total_money_raised','string');
INSERT INTO "_spoke_columns" VALUES('companies','total_revenue','total_revenue','number');
INSERT INTO "_spoke_columns" VALUES('companies','twitterbio','twitterbio','string');
INSERT INTO "_spoke_columns" VALUES('companies','twitterfollowers','twitterfollowers','number');
INSERT INTO "_spoke_columns" VALUES('companies','twitterhandle','twitterhandle','string');
INSERT INTO "_spoke_columns" VALUES('companies','type','type','string');
INSERT INTO "_spoke_columns" VALUES('companies','vat_id','vat_id','string');
INSERT INTO "_spoke_columns" VALUES('companies','web_technologies','web_technologies','string');
INSERT INTO "_spoke_columns" VALUES('companies','website','website','string');
INSERT INTO "_spoke_columns" VALUES('companies','zip','zip','string');
INSERT INTO "_spoke_columns" VALUES('contacts','_archived','_archived','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','_archived_at','_archived_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','_created_at','_created_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','_updated_at','_updated_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','address','address','string');
INSERT INTO "_spoke_columns" VALUES('contacts','annualrevenue','annualrevenue','string');
INSERT INTO "_spoke_columns" VALUES('contacts','associatedcompanyid','associatedcompanyid','string');
INSERT INTO "_spoke_columns" VALUES('contacts','associatedcompanylastupdated','associatedcompanylastupdated','number');
INSERT INTO "_spoke_columns" VALUES('contacts','bio_html','bio_html','string');
INSERT INTO "_spoke_columns" VALUES('contacts','birthday','birthday','date');
INSERT INTO "_spoke_columns" VALUES('contacts','city','city','string');
INSERT INTO "_spoke_columns" VALUES('contacts','closedate','closedate','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','company','company','string');
INSERT INTO "_spoke_columns" VALUES('contacts','contact_notes','contact_notes','string');
INSERT INTO "_spoke_columns" VALUES('contacts','contract_end','contract_end','date');
INSERT INTO "_spoke_columns" VALUES('contacts','country','country','string');
INSERT INTO "_spoke_columns" VALUES('contacts','createdate','createdate','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','customer_number','customer_number','string');
INSERT INTO "_spoke_columns" VALUES('contacts','data_class','data_class','json');
INSERT INTO "_spoke_columns" VALUES('contacts','date_of_birth','date_of_birth','string');
INSERT INTO "_spoke_columns" VALUES('contacts','days_to_close','days_to_close','number');
INSERT INTO "_spoke_columns" VALUES('contacts','degree','degree','string');
INSERT INTO "_spoke_columns" VALUES('contacts','discount_rate','discount_rate','number');
INSERT INTO "_spoke_columns" VALUES('contacts','email','email','string');
INSERT INTO "_spoke_columns" VALUES('contacts','erp_reference','erp_reference','string');
INSERT INTO "_spoke_columns" VALUES('contacts','favourite_colours','favourite_colours','string');
INSERT INTO "_spoke_columns" VALUES('contacts','fax','fax','string');
INSERT INTO "_spoke_columns" VALUES('contacts','field_of_study','field_of_study','string');
INSERT INTO "_spoke_columns" VALUES('contacts','first_conversion_date','first_conversion_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','first_conversion_event_name','first_conversion_event_name','string');
INSERT INTO "_spoke_columns" VALUES('contacts','first_deal_created_date','first_deal_created_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','firstname','firstname','string');
INSERT INTO "_spoke_columns" VALUES('contacts','followercount','followercount','number');
INSERT INTO "_spoke_columns" VALUES('contacts','gender','gender','string');
INSERT INTO "_spoke_columns" VALUES('contacts','graduation_date','graduation_date','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_additional_emails','hs_additional_emails','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_all_accessible_team_ids','hs_all_accessible_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_all_assigned_business_unit_ids','hs_all_assigned_business_unit_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_all_contact_vids','hs_all_contact_vids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_all_owner_ids','hs_all_owner_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_all_team_ids','hs_all_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_average_page_views','hs_analytics_average_page_views','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_first_referrer','hs_analytics_first_referrer','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_first_timestamp','hs_analytics_first_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_first_touch_converting_campaign','hs_analytics_first_touch_converting_campaign','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_first_url','hs_analytics_first_url','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_first_visit_timestamp','hs_analytics_first_visit_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_last_referrer','hs_analytics_last_referrer','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_last_timestamp','hs_analytics_last_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_last_touch_converting_campaign','hs_analytics_last_touch_converting_campaign','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_last_url','hs_analytics_last_url','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_last_visit_timestamp','hs_analytics_last_visit_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_num_event_completions','hs_analytics_num_event_completions','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_num_page_views','hs_analytics_num_page_views','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_num_visits','hs_analytics_num_visits','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_revenue','hs_analytics_revenue','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_source','hs_analytics_source','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_source_data_1','hs_analytics_source_data_1','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_analytics_source_data_2','hs_analytics_source_data_2','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_avatar_filemanager_key','hs_avatar_filemanager_key','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_buying_role','hs_buying_role','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_calculated_merged_vids','hs_calculated_merged_vids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_calculated_mobile_number','hs_calculated_mobile_number','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_calculated_phone_number','hs_calculated_phone_number','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_calculated_phone_number_country_code','hs_calculated_phone_number_country_code','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_contact_enrichment_opt_out','hs_contact_enrichment_opt_out','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_content_membership_notes','hs_content_membership_notes','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_content_membership_registered_at','hs_content_membership_registered_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_content_membership_status','hs_content_membership_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_count_is_unworked','hs_count_is_unworked','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_count_is_worked','hs_count_is_worked','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_country_region_code','hs_country_region_code','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_created_by_conversations','hs_created_by_conversations','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_created_by_user_id','hs_created_by_user_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_cross_sell_opportunity','hs_cross_sell_opportunity','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_currently_enrolled_in_prospecting_agent','hs_currently_enrolled_in_prospecting_agent','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_data_privacy_ads_consent','hs_data_privacy_ads_consent','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_bad_address','hs_email_bad_address','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_bounce','hs_email_bounce','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_click','hs_email_click','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_delivered','hs_email_delivered','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_domain','hs_email_domain','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_first_click_date','hs_email_first_click_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_first_open_date','hs_email_first_open_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_first_send_date','hs_email_first_send_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_hard_bounce_reason_enum','hs_email_hard_bounce_reason_enum','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_last_click_date','hs_email_last_click_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_last_email_name','hs_email_last_email_name','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_last_open_date','hs_email_last_open_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_last_send_date','hs_email_last_send_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_open','hs_email_open','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_optout','hs_email_optout','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_quarantined','hs_email_quarantined','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_quarantined_reason','hs_email_quarantined_reason','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_replied','hs_email_replied','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_email_sends_since_last_engagement','hs_email_sends_since_last_engagement','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_emailconfirmationstatus','hs_emailconfirmationstatus','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_facebook_click_id','hs_facebook_click_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_facebookid','hs_facebookid','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_first_engagement_object_id','hs_first_engagement_object_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_full_name_or_email','hs_full_name_or_email','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_google_click_id','hs_google_click_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_googleplusid','hs_googleplusid','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_gps_coordinates','hs_gps_coordinates','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_gps_latitude','hs_gps_latitude','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_gps_longitude','hs_gps_longitude','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_ip_timezone','hs_ip_timezone','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_is_contact','hs_is_contact','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_is_enriched','hs_is_enriched','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_is_unworked','hs_is_unworked','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_job_change_detected_date','hs_job_change_detected_date','date');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_language','hs_language','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_last_sales_activity_timestamp','hs_last_sales_activity_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_last_sales_activity_type','hs_last_sales_activity_type','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lastmodifieddate','hs_lastmodifieddate','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_latest_meeting_activity','hs_latest_meeting_activity','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_latest_source','hs_latest_source','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_latest_source_data_1','hs_latest_source_data_1','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_latest_source_data_2','hs_latest_source_data_2','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_latest_source_timestamp','hs_latest_source_timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lead_status','hs_lead_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_legal_basis','hs_legal_basis','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_customer_date','hs_lifecyclestage_customer_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_evangelist_date','hs_lifecyclestage_evangelist_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_lead_date','hs_lifecyclestage_lead_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_marketingqualifiedlead_date','hs_lifecyclestage_marketingqualifiedlead_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_opportunity_date','hs_lifecyclestage_opportunity_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_other_date','hs_lifecyclestage_other_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_salesqualifiedlead_date','hs_lifecyclestage_salesqualifiedlead_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_lifecyclestage_subscriber_date','hs_lifecyclestage_subscriber_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_linkedin_url','hs_linkedin_url','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_marketable_reason_id','hs_marketable_reason_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_marketable_reason_type','hs_marketable_reason_type','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_marketable_status','hs_marketable_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_marketable_until_renewal','hs_marketable_until_renewal','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_membership_has_accessed_private_content','hs_membership_has_accessed_private_content','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_merged_object_ids','hs_merged_object_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_object_id','hs_object_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_object_source','hs_object_source','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_object_source_detail_1','hs_object_source_detail_1','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_object_source_id','hs_object_source_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_object_source_label','hs_object_source_label','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_persona','hs_persona','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_pinned_engagement_id','hs_pinned_engagement_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_predictivecontactscore_v2','hs_predictivecontactscore_v2','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_predictivescoringtier','hs_predictivescoringtier','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_quarantined_emails','hs_quarantined_emails','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_read_only','hs_read_only','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_role','hs_role','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sa_first_engagement_date','hs_sa_first_engagement_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sa_first_engagement_descr','hs_sa_first_engagement_descr','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sales_email_last_clicked','hs_sales_email_last_clicked','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sales_email_last_opened','hs_sales_email_last_opened','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sales_email_last_replied','hs_sales_email_last_replied','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_searchable_calculated_mobile_number','hs_searchable_calculated_mobile_number','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_searchable_calculated_phone_number','hs_searchable_calculated_phone_number','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_seniority','hs_seniority','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sequences_enrolled_count','hs_sequences_enrolled_count','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sequences_is_enrolled','hs_sequences_is_enrolled','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_shared_team_ids','hs_shared_team_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_shared_user_ids','hs_shared_user_ids','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_social_last_engagement','hs_social_last_engagement','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_state_code','hs_state_code','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_sub_role','hs_sub_role','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_testpurge','hs_testpurge','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_testrollback','hs_testrollback','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_time_between_contact_creation_and_deal_creation','hs_time_between_contact_creation_and_deal_creation','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_time_to_first_engagement','hs_time_to_first_engagement','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_time_to_move_from_lead_to_customer','hs_time_to_move_from_lead_to_customer','number');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_timezone','hs_timezone','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_twitterid','hs_twitterid','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_unique_creation_key','hs_unique_creation_key','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_updated_by_user_id','hs_updated_by_user_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_user_ids_of_all_notification_followers','hs_user_ids_of_all_notification_followers','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_user_ids_of_all_owners','hs_user_ids_of_all_owners','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_v2_date_entered_current_stage','hs_v2_date_entered_current_stage','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_v2_time_in_current_stage','hs_v2_time_in_current_stage','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hs_was_imported','hs_was_imported','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','hubspot_owner_assigneddate','hubspot_owner_assigneddate','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','hubspot_owner_id','hubspot_owner_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hubspot_team_id','hubspot_team_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','hubspotscore','hubspotscore','number');
INSERT INTO "_spoke_columns" VALUES('contacts','id','id','string');
INSERT INTO "_spoke_columns" VALUES('contacts','industry','industry','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_city','ip_city','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_country','ip_country','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_country_code','ip_country_code','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_latlon','ip_latlon','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_state','ip_state','string');
INSERT INTO "_spoke_columns" VALUES('contacts','ip_zipcode','ip_zipcode','string');
INSERT INTO "_spoke_columns" VALUES('contacts','job_function','job_function','string');
INSERT INTO "_spoke_columns" VALUES('contacts','jobtitle','jobtitle','string');
INSERT INTO "_spoke_columns" VALUES('contacts','kloutscoregeneral','kloutscoregeneral','number');
INSERT INTO "_spoke_columns" VALUES('contacts','last_visit_at','last_visit_at','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','lastmodified_by_import','lastmodified_by_import','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','lastmodifieddate','lastmodifieddate','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','lastname','lastname','string');
INSERT INTO "_spoke_columns" VALUES('contacts','legacy_score','legacy_score','number');
INSERT INTO "_spoke_columns" VALUES('contacts','lifecyclestage','lifecyclestage','string');
INSERT INTO "_spoke_columns" VALUES('contacts','linkedinbio','linkedinbio','string');
INSERT INTO "_spoke_columns" VALUES('contacts','linkedinconnections','linkedinconnections','number');
INSERT INTO "_spoke_columns" VALUES('contacts','marital_status','marital_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','message','message','string');
INSERT INTO "_spoke_columns" VALUES('contacts','military_status','military_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','mobilephone','mobilephone','string');
INSERT INTO "_spoke_columns" VALUES('contacts','newsletter','newsletter','boolean');
INSERT INTO "_spoke_columns" VALUES('contacts','notes_last_contacted','notes_last_contacted','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','notes_last_updated','notes_last_updated','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','notes_next_activity_date','notes_next_activity_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','num_associated_deals','num_associated_deals','number');
INSERT INTO "_spoke_columns" VALUES('contacts','num_contacted_notes','num_contacted_notes','number');
INSERT INTO "_spoke_columns" VALUES('contacts','num_conversion_events','num_conversion_events','number');
INSERT INTO "_spoke_columns" VALUES('contacts','num_notes','num_notes','number');
INSERT INTO "_spoke_columns" VALUES('contacts','num_unique_conversion_events','num_unique_conversion_events','number');
INSERT INTO "_spoke_columns" VALUES('contacts','numemployees','numemployees','string');
INSERT INTO "_spoke_columns" VALUES('contacts','order','order','string');
INSERT INTO "_spoke_columns" VALUES('contacts','phone','phone','string');
INSERT INTO "_spoke_columns" VALUES('contacts','photo','photo','string');
INSERT INTO "_spoke_columns" VALUES('contacts','recent_conversion_date','recent_conversion_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','recent_conversion_event_name','recent_conversion_event_name','string');
INSERT INTO "_spoke_columns" VALUES('contacts','recent_deal_amount','recent_deal_amount','number');
INSERT INTO "_spoke_columns" VALUES('contacts','recent_deal_close_date','recent_deal_close_date','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts','relationship_status','relationship_status','string');
INSERT INTO "_spoke_columns" VALUES('contacts','salutation','salutation','string');
INSERT INTO "_spoke_columns" VALUES('contacts','school','school','string');
INSERT INTO "_spoke_columns" VALUES('contacts','second_phone','second_phone','string');
INSERT INTO "_spoke_columns" VALUES('contacts','select','select','string');
INSERT INTO "_spoke_columns" VALUES('contacts','seniority','seniority','string');
INSERT INTO "_spoke_columns" VALUES('contacts','size','size','string');
INSERT INTO "_spoke_columns" VALUES('contacts','start_date','start_date','string');
INSERT INTO "_spoke_columns" VALUES('contacts','state','state','string');
INSERT INTO "_spoke_columns" VALUES('contacts','surveymonkeyeventlastupdated','surveymonkeyeventlastupdated','number');
INSERT INTO "_spoke_columns" VALUES('contacts','total_revenue','total_revenue','number');
INSERT INTO "_spoke_columns" VALUES('contacts','twitterbio','twitterbio','string');
INSERT INTO "_spoke_columns" VALUES('contacts','twitterhandle','twitterhandle','string');
INSERT INTO "_spoke_columns" VALUES('contacts','twitterprofilephoto','twitterprofilephoto','string');
INSERT INTO "_spoke_columns" VALUES('contacts','webinareventlastupdated','webinareventlastupdated','number');
INSERT INTO "_spoke_columns" VALUES('contacts','website','website','string');
INSERT INTO "_spoke_columns" VALUES('contacts','work_email','work_email','string');
INSERT INTO "_spoke_columns" VALUES('contacts','zip','zip','string');
INSERT INTO "_spoke_columns" VALUES('contacts_companies','category','category','string');
INSERT INTO "_spoke_columns" VALUES('contacts_companies','from_id','from_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts_companies','label','label','string');
INSERT INTO "_spoke_columns" VALUES('contacts_companies','to_id','to_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts_companies','type_id','type_id','integer');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','property','property','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','record_id','record_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','source_id','source_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','source_label','source_label','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','source_type','source_type','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','timestamp','timestamp','timestamp');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','updated_by_user_id','updated_by_user_id','string');
INSERT INTO "_spoke_columns" VALUES('contacts_property_history','value','value','string');
CREATE TABLE _spoke_notes (
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  -- the source's bytes; opaque here
  value BLOB NOT NULL,
  PRIMARY KEY (pipeline, key)
) STRICT;
INSERT INTO "_spoke_notes" VALUES('crm','companies/live/0000000000000000',X'65F4BFE9FF0B01BBB9CED004');
INSERT INTO "_spoke_notes" VALUES('crm','contacts/live/0000000000000000',X'6591E4A0B50701EB9B94CB0801B6B586EE01');
INSERT INTO "_spoke_notes" VALUES('crm','contacts_companies/pairs/000000000000000000000000000000000000000000000000',X'656501C7E791640000960299E48DE503016597020001660199E48DE5030000960299E48DE503');
CREATE TABLE "companies" (
  "id" TEXT,
  "about_us" TEXT,
  "account_number" TEXT,
  "address" TEXT,
  "address2" TEXT,
  "annualrevenue" REAL,
  "city" TEXT,
  "cleared_field" TEXT,
  "closedate" TEXT,
  "country" TEXT,
  "createdate" TEXT,
  "credit_limit" REAL,
  "days_to_close" REAL,
  "description" TEXT,
  "domain" TEXT,
  "erp_customer_since" TEXT,
  "facebook_company_page" TEXT,
  "facebookfans" REAL,
  "first_contact_createdate" TEXT,
  "first_conversion_date" TEXT,
  "first_deal_created_date" TEXT,
  "founded_year" TEXT,
  "googleplus_page" TEXT,
  "hs_additional_domains" TEXT,
  "hs_all_accessible_team_ids" TEXT,
  "hs_all_owner_ids" TEXT,
  "hs_all_team_ids" TEXT,
  "hs_analytics_first_timestamp" TEXT,
  "hs_analytics_last_timestamp" TEXT,
  "hs_analytics_latest_source" TEXT,
  "hs_analytics_latest_source_timestamp" TEXT,
  "hs_analytics_num_page_views" REAL,
  "hs_analytics_num_visits" REAL,
  "hs_analytics_source" TEXT,
  "hs_analytics_source_data_1" TEXT,
  "hs_analytics_source_data_2" TEXT,
  "hs_annual_revenue_currency_code" TEXT,
  "hs_avatar_filemanager_key" TEXT,
  "hs_country_code" TEXT,
  "hs_created_by_user_id" TEXT,
  "hs_csm_sentiment" TEXT,
  "hs_date_entered_customer" TEXT,
  "hs_date_entered_lead" TEXT,
  "hs_employee_range" TEXT,
  "hs_gps_coordinates" TEXT,
  "hs_ideal_customer_profile" TEXT,
  "hs_is_enriched" INTEGER,
  "hs_is_target_account" INTEGER,
  "hs_keywords" TEXT,
  "hs_last_booked_meeting_date" TEXT,
  "hs_last_logged_call_date" TEXT,
  "hs_last_open_task_date" TEXT,
  "hs_last_sales_activity_timestamp" TEXT,
  "hs_last_sales_activity_type" TEXT,
  "hs_lastmodifieddate" TEXT,
  "hs_lead_status" TEXT,
  "hs_logo_url" TEXT,
  "hs_merged_object_ids" TEXT,
  "hs_num_blockers" REAL,
  "hs_num_child_companies" REAL,
  "hs_num_contacts_with_buying_roles" REAL,
  "hs_num_decision_makers" REAL,
  "hs_num_open_deals" REAL,
  "hs_object_id" TEXT,
  "hs_object_source" TEXT,
  "hs_object_source_detail_1" TEXT,
  "hs_object_source_id" TEXT,
  "hs_object_source_label" TEXT,
  "hs_parent_company_id" TEXT,
  "hs_pinned_engagement_id" TEXT,
  "hs_predictivecontactscore_v2" REAL,
  "hs_read_only" INTEGER,
  "hs_revenue_range" TEXT,
  "hs_sales_email_last_replied" TEXT,
  "hs_shared_team_ids" TEXT,
  "hs_shared_user_ids" TEXT,
  "hs_target_account" TEXT,
  "hs_target_account_probability" REAL,
  "hs_task_label" TEXT,
  "hs_time_in_lead" REAL,
  "hs_total_deal_value" REAL,
  "hs_unique_creation_key" TEXT,
  "hs_updated_by_user_id" TEXT,
  "hs_user_ids_of_all_owners" TEXT,
  "hs_v2_date_entered_current_stage" TEXT,
  "hs_was_imported" INTEGER,
  "hubspot_owner_assigneddate" TEXT,
  "hubspot_owner_id" TEXT,
  "hubspot_team_id" TEXT,
  "industry" TEXT,
  "internal_note" TEXT,
  "is_public" INTEGER,
  "is_strategic" INTEGER,
  "lifecyclestage" TEXT,
  "linkedin_company_page" TEXT,
  "linkedinbio" TEXT,
  "name" TEXT,
  "notes_last_contacted" TEXT,
  "notes_last_updated" TEXT,
  "notes_next_activity_date" TEXT,
  "num_associated_contacts" REAL,
  "num_associated_deals" REAL,
  "num_contacted_notes" REAL,
  "num_conversion_events" REAL,
  "num_notes" REAL,
  "numberofemployees" REAL,
  "owneremail" TEXT,
  "ownername" TEXT,
  "phone" TEXT,
  "recent_conversion_date" TEXT,
  "recent_deal_amount" REAL,
  "recent_deal_close_date" TEXT,
  "regions" TEXT,
  "state" TEXT,
  "timezone" TEXT,
  "total_money_raised" TEXT,
  "total_revenue" REAL,
  "twitterbio" TEXT,
  "twitterfollowers" REAL,
  "twitterhandle" TEXT,
  "type" TEXT,
  "vat_id" TEXT,
  "web_technologies" TEXT,
  "website" TEXT,
  "zip" TEXT,
  "_created_at" TEXT,
  "_updated_at" TEXT,
  "_archived" INTEGER,
  "_archived_at" TEXT,
  _merged_into TEXT,
  _synced_at TEXT,
  _raw TEXT,
  PRIMARY KEY ("id")
) STRICT;
INSERT INTO "companies" VALUES('101',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'101',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Acme',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z','2026-12-01T00:51:44.322Z',0,NULL,NULL,'2026-12-01T00:51:45.084Z',NULL);
INSERT INTO "companies" VALUES('102',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'102',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Globex',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.322Z','2026-12-01T00:51:44.322Z',0,NULL,NULL,'2026-12-01T00:51:45.084Z',NULL);
CREATE TABLE "contacts" (
  "id" TEXT,
  "address" TEXT,
  "annualrevenue" TEXT,
  "associatedcompanyid" TEXT,
  "associatedcompanylastupdated" REAL,
  "bio_html" TEXT,
  "birthday" TEXT,
  "city" TEXT,
  "closedate" TEXT,
  "company" TEXT,
  "contact_notes" TEXT,
  "contract_end" TEXT,
  "country" TEXT,
  "createdate" TEXT,
  "customer_number" TEXT,
  "data_class" TEXT,
  "date_of_birth" TEXT,
  "days_to_close" REAL,
  "degree" TEXT,
  "discount_rate" REAL,
  "email" TEXT,
  "erp_reference" TEXT,
  "favourite_colours" TEXT,
  "fax" TEXT,
  "field_of_study" TEXT,
  "first_conversion_date" TEXT,
  "first_conversion_event_name" TEXT,
  "first_deal_created_date" TEXT,
  "firstname" TEXT,
  "followercount" REAL,
  "gender" TEXT,
  "graduation_date" TEXT,
  "hs_additional_emails" TEXT,
  "hs_all_accessible_team_ids" TEXT,
  "hs_all_assigned_business_unit_ids" TEXT,
  "hs_all_contact_vids" TEXT,
  "hs_all_owner_ids" TEXT,
  "hs_all_team_ids" TEXT,
  "hs_analytics_average_page_views" REAL,
  "hs_analytics_first_referrer" TEXT,
  "hs_analytics_first_timestamp" TEXT,
  "hs_analytics_first_touch_converting_campaign" TEXT,
  "hs_analytics_first_url" TEXT,
  "hs_analytics_first_visit_timestamp" TEXT,
  "hs_analytics_last_referrer" TEXT,
  "hs_analytics_last_timestamp" TEXT,
  "hs_analytics_last_touch_converting_campaign" TEXT,
  "hs_analytics_last_url" TEXT,
  "hs_analytics_last_visit_timestamp" TEXT,
  "hs_analytics_num_event_completions" REAL,
  "hs_analytics_num_page_views" REAL,
  "hs_analytics_num_visits" REAL,
  "hs_analytics_revenue" REAL,
  "hs_analytics_source" TEXT,
  "hs_analytics_source_data_1" TEXT,
  "hs_analytics_source_data_2" TEXT,
  "hs_avatar_filemanager_key" TEXT,
  "hs_buying_role" TEXT,
  "hs_calculated_merged_vids" TEXT,
  "hs_calculated_mobile_number" TEXT,
  "hs_calculated_phone_number" TEXT,
  "hs_calculated_phone_number_country_code" TEXT,
  "hs_contact_enrichment_opt_out" INTEGER,
  "hs_content_membership_notes" TEXT,
  "hs_content_membership_registered_at" TEXT,
  "hs_content_membership_status" TEXT,
  "hs_count_is_unworked" REAL,
  "hs_count_is_worked" REAL,
  "hs_country_region_code" TEXT,
  "hs_created_by_conversations" INTEGER,
  "hs_created_by_user_id" TEXT,
  "hs_cross_sell_opportunity" INTEGER,
  "hs_currently_enrolled_in_prospecting_agent" INTEGER,
  "hs_data_privacy_ads_consent" INTEGER,
  "hs_email_bad_address" INTEGER,
  "hs_email_bounce" REAL,
  "hs_email_click" REAL,
  "hs_email_delivered" REAL,
  "hs_email_domain" TEXT,
  "hs_email_first_click_date" TEXT,
  "hs_email_first_open_date" TEXT,
  "hs_email_first_send_date" TEXT,
  "hs_email_hard_bounce_reason_enum" TEXT,
  "hs_email_last_click_date" TEXT,
  "hs_email_last_email_name" TEXT,
  "hs_email_last_open_date" TEXT,
  "hs_email_last_send_date" TEXT,
  "hs_email_open" REAL,
  "hs_email_optout" INTEGER,
  "hs_email_quarantined" INTEGER,
  "hs_email_quarantined_reason" TEXT,
  "hs_email_replied" REAL,
  "hs_email_sends_since_last_engagement" REAL,
  "hs_emailconfirmationstatus" TEXT,
  "hs_facebook_click_id" TEXT,
  "hs_facebookid" TEXT,
  "hs_first_engagement_object_id" TEXT,
  "hs_full_name_or_email" TEXT,
  "hs_google_click_id" TEXT,
  "hs_googleplusid" TEXT,
  "hs_gps_coordinates" TEXT,
  "hs_gps_latitude" TEXT,
  "hs_gps_longitude" TEXT,
  "hs_ip_timezone" TEXT,
  "hs_is_contact" INTEGER,
  "hs_is_enriched" INTEGER,
  "hs_is_unworked" INTEGER,
  "hs_job_change_detected_date" TEXT,
  "hs_language" TEXT,
  "hs_last_sales_activity_timestamp" TEXT,
  "hs_last_sales_activity_type" TEXT,
  "hs_lastmodifieddate" TEXT,
  "hs_latest_meeting_activity" TEXT,
  "hs_latest_source" TEXT,
  "hs_latest_source_data_1" TEXT,
  "hs_latest_source_data_2" TEXT,
  "hs_latest_source_timestamp" TEXT,
  "hs_lead_status" TEXT,
  "hs_legal_basis" TEXT,
  "hs_lifecyclestage_customer_date" TEXT,
  "hs_lifecyclestage_evangelist_date" TEXT,
  "hs_lifecyclestage_lead_date" TEXT,
  "hs_lifecyclestage_marketingqualifiedlead_date" TEXT,
  "hs_lifecyclestage_opportunity_date" TEXT,
  "hs_lifecyclestage_other_date" TEXT,
  "hs_lifecyclestage_salesqualifiedlead_date" TEXT,
  "hs_lifecyclestage_subscriber_date" TEXT,
  "hs_linkedin_url" TEXT,
  "hs_marketable_reason_id" TEXT,
  "hs_marketable_reason_type" TEXT,
  "hs_marketable_status" TEXT,
  "hs_marketable_until_renewal" TEXT,
  "hs_membership_has_accessed_private_content" REAL,
  "hs_merged_object_ids" TEXT,
  "hs_object_id" TEXT,
  "hs_object_source" TEXT,
  "hs_object_source_detail_1" TEXT,
  "hs_object_source_id" TEXT,
  "hs_object_source_label" TEXT,
  "hs_persona" TEXT,
  "hs_pinned_engagement_id" TEXT,
  "hs_predictivecontactscore_v2" REAL,
  "hs_predictivescoringtier" TEXT,
  "hs_quarantined_emails" TEXT,
  "hs_read_only" INTEGER,
  "hs_role" TEXT,
  "hs_sa_first_engagement_date" TEXT,
  "hs_sa_first_engagement_descr" TEXT,
  "hs_sales_email_last_clicked" TEXT,
  "hs_sales_email_last_opened" TEXT,
  "hs_sales_email_last_replied" TEXT,
  "hs_searchable_calculated_mobile_number" TEXT,
  "hs_searchable_calculated_phone_number" TEXT,
  "hs_seniority" TEXT,
  "hs_sequences_enrolled_count" REAL,
  "hs_sequences_is_enrolled" INTEGER,
  "hs_shared_team_ids" TEXT,
  "hs_shared_user_ids" TEXT,
  "hs_social_last_engagement" TEXT,
  "hs_state_code" TEXT,
  "hs_sub_role" TEXT,
  "hs_testpurge" TEXT,
  "hs_testrollback" TEXT,
  "hs_time_between_contact_creation_and_deal_creation" REAL,
  "hs_time_to_first_engagement" REAL,
  "hs_time_to_move_from_lead_to_customer" REAL,
  "hs_timezone" TEXT,
  "hs_twitterid" TEXT,
  "hs_unique_creation_key" TEXT,
  "hs_updated_by_user_id" TEXT,
  "hs_user_ids_of_all_notification_followers" TEXT,
  "hs_user_ids_of_all_owners" TEXT,
  "hs_v2_date_entered_current_stage" TEXT,
  "hs_v2_time_in_current_stage" TEXT,
  "hs_was_imported" INTEGER,
  "hubspot_owner_assigneddate" TEXT,
  "hubspot_owner_id" TEXT,
  "hubspot_team_id" TEXT,
  "hubspotscore" REAL,
  "industry" TEXT,
  "ip_city" TEXT,
  "ip_country" TEXT,
  "ip_country_code" TEXT,
  "ip_latlon" TEXT,
  "ip_state" TEXT,
  "ip_zipcode" TEXT,
  "job_function" TEXT,
  "jobtitle" TEXT,
  "kloutscoregeneral" REAL,
  "last_visit_at" TEXT,
  "lastmodified_by_import" TEXT,
  "lastmodifieddate" TEXT,
  "lastname" TEXT,
  "legacy_score" REAL,
  "lifecyclestage" TEXT,
  "linkedinbio" TEXT,
  "linkedinconnections" REAL,
  "marital_status" TEXT,
  "message" TEXT,
  "military_status" TEXT,
  "mobilephone" TEXT,
  "newsletter" INTEGER,
  "notes_last_contacted" TEXT,
  "notes_last_updated" TEXT,
  "notes_next_activity_date" TEXT,
  "num_associated_deals" REAL,
  "num_contacted_notes" REAL,
  "num_conversion_events" REAL,
  "num_notes" REAL,
  "num_unique_conversion_events" REAL,
  "numemployees" TEXT,
  "order" TEXT,
  "phone" TEXT,
  "photo" TEXT,
  "recent_conversion_date" TEXT,
  "recent_conversion_event_name" TEXT,
  "recent_deal_amount" REAL,
  "recent_deal_close_date" TEXT,
  "relationship_status" TEXT,
  "salutation" TEXT,
  "school" TEXT,
  "second_phone" TEXT,
  "select" TEXT,
  "seniority" TEXT,
  "size" TEXT,
  "start_date" TEXT,
  "state" TEXT,
  "surveymonkeyeventlastupdated" REAL,
  "total_revenue" REAL,
  "twitterbio" TEXT,
  "twitterhandle" TEXT,
  "twitterprofilephoto" TEXT,
  "webinareventlastupdated" REAL,
  "website" TEXT,
  "work_email" TEXT,
  "zip" TEXT,
  "_created_at" TEXT,
  "_updated_at" TEXT,
  "_archived" INTEGER,
  "_archived_at" TEXT,
  _merged_into TEXT,
  _synced_at TEXT,
  _raw TEXT,
  PRIMARY KEY ("id")
) STRICT;
INSERT INTO "contacts" VALUES('101',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Ada Augusta',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.325Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'101',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.325Z',NULL,NULL,'lead',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z','2026-12-01T00:51:44.325Z',0,NULL,NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts" VALUES('102',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Grace',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'102',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,'lead',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z','2026-12-01T00:51:44.294Z',0,NULL,NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts" VALUES('103',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Edsger',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'103',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z',NULL,NULL,'lead',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-12-01T00:51:44.294Z','2026-12-01T00:51:44.294Z',0,NULL,NULL,'2026-12-01T00:51:45.111Z',NULL);
CREATE TABLE "contacts_companies" (
  "from_id" TEXT,
  "to_id" TEXT,
  "type_id" INTEGER,
  "category" TEXT,
  "label" TEXT,
  _synced_at TEXT,
  _raw TEXT,
  PRIMARY KEY ("from_id", "to_id", "type_id")
) STRICT;
INSERT INTO "contacts_companies" VALUES('101','101',1,'USER_DEFINED','Manager','2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_companies" VALUES('101','101',279,'HUBSPOT_DEFINED',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_companies" VALUES('102','101',279,'HUBSPOT_DEFINED',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_companies" VALUES('103','102',279,'HUBSPOT_DEFINED',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_companies" VALUES('103','102',1,'USER_DEFINED','Manager','2026-12-01T00:51:45.111Z',NULL);
CREATE TABLE "contacts_property_history" (
  "record_id" TEXT,
  "property" TEXT,
  "timestamp" TEXT,
  "value" TEXT,
  "source_type" TEXT,
  "source_id" TEXT,
  "source_label" TEXT,
  "updated_by_user_id" TEXT,
  _synced_at TEXT,
  _raw TEXT,
  PRIMARY KEY ("record_id", "property", "timestamp")
) STRICT;
INSERT INTO "contacts_property_history" VALUES('102','firstname','2026-12-01T00:51:44.294Z','Grace','IMPORT','100001','Import',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_property_history" VALUES('101','firstname','2026-12-01T00:51:44.325Z','Augusta','INTEGRATION','200001','Private app',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_property_history" VALUES('101','firstname','2026-12-01T00:51:44.294Z','Ada','IMPORT','100001','Import',NULL,'2026-12-01T00:51:45.111Z',NULL);
INSERT INTO "contacts_property_history" VALUES('103','firstname','2026-12-01T00:51:44.294Z','Edsger','IMPORT','100001','Import',NULL,'2026-12-01T00:51:45.111Z',NULL);
COMMIT;
